"""What users' editors see: never run, only checked for types, by mypy and by pyright.

A line that must be rejected says so to both, and both fail if they have nothing to reject there.
"""

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


class Report:
    @stash.memo(ignore="self")
    def rows(self, year: int) -> list[int]:
        return [year]

    @stash.memo(ignore="self")
    async def later(self, year: int) -> list[int]:
        return [year]


async def methods(report: Report) -> None:
    assert_type(report.rows(2013), list[int])
    assert_type(report.rows.ref(2013), Ref[list[int]])
    assert_type(report.rows.peek(2013), list[int] | None)
    assert_type(await report.later(2013), list[int])
    assert_type(await report.later.ref(2013), Ref[list[int]])
    assert_type(Report.rows(report, 2013), list[int])
    report.rows("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await report.later("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


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
    plain(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    plain.ref(city="New York")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    plain.peek(7)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


async def asynchronous() -> None:
    assert_type(await awaited("AA"), list[int])
    assert_type(await awaited.ref("AA"), Ref[list[int]])
    assert_type(awaited.peek("AA"), list[int] | None)
    assert_type(awaited.peek("AA", default="nothing"), list[int] | str)
    assert_type(await awaited.refresh("AA"), list[int])
    await awaited(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await plain("AA")  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    awaited.ref("AA").get()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def values() -> None:
    maybe: list[int] = plain.peek("AA")  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    number: int = plain("AA")  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    del maybe, number


def references(ref: Ref[int]) -> None:
    text: str = ref
    wider: Ref[object] = ref
    assert_type(ref.get(), int)
    other: Ref[str] = ref  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    ref.get(1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    del text, wider, other


def options() -> None:
    stash.memo(scope="nobody")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    stash.memo(ttl=["1h"])  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    stash.put(1, shared=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def variables() -> None:
    stash.session["filters"] = {"carrier": "AA"}
    stash.session.modify("clicks", lambda clicks: clicks + 1, default=0)
    stash.session[1] = 2  # type: ignore[index]  # pyright: ignore[reportArgumentType]
    stash.session.modify("clicks", 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    stash.session.filters = 1  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
