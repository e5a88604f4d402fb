"""What users' editors see: never run, only checked for types."""

from __future__ import annotations

from typing import assert_type

from dash_stash import Ref, Stash

stash = Stash()


@stash.memo
def plain(carrier: str, month: int = 1) -> list[int]:
    return [month]


@stash.memo(ttl="1h", tags=["flights"])
def optioned(carrier: str) -> dict[str, int]:
    return {carrier: 1}


@stash.memo
def defaulted(carrier: str, default: int = 0) -> list[int]:
    return [default]


@stash.memo
async def awaited(carrier: str) -> list[int]:
    return [1]


def synchronous() -> None:
    assert_type(plain("AA", month=2), list[int])
    assert_type(plain.ref("AA"), Ref[list[int]])
    assert_type(plain.ref("AA").get(), list[int])
    assert_type(plain.peek("AA"), list[int] | None)
    assert_type(plain.peek("AA", default="nothing"), list[int] | str)
    assert_type(defaulted.peek("AA", default=1), list[int] | None)
    assert_type(plain.refresh("AA"), list[int])
    assert_type(optioned("AA"), dict[str, int])
    assert_type(stash.put({"a": 1}, share=True).get(), dict[str, int])
    plain(7)  # type: ignore[arg-type]
    plain.ref(city="New York")  # type: ignore[call-arg]
    plain.peek(7)  # type: ignore[call-overload]


async def asynchronous() -> None:
    assert_type(await awaited("AA"), list[int])
    assert_type(await awaited.ref("AA"), Ref[list[int]])
    assert_type(awaited.peek("AA"), list[int] | None)
    assert_type(awaited.peek("AA", default="nothing"), list[int] | str)
    assert_type(await awaited.refresh("AA"), list[int])
