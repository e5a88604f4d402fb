"""A reference outlives its value: its recipe says how to compute the value again."""

from __future__ import annotations

import pathlib
import sqlite3
from dataclasses import dataclass
from typing import Any

import pytest

from dash_stash import Ref, RefExpired, RefInvalid, Stash
from dash_stash.testing import ManualClock
from unit.visiting import visit


@dataclass(frozen=True)
class Query:
    """An argument with a reference inside."""

    source: Ref[list[int]]
    limit: int = 2


def test_each_session_computes_again_what_was_made_from_its_reference(
    stash: Stash, clock: ManualClock
) -> None:
    """All share one recipe, which must not keep the reference of the first session."""
    source = stash.memo(lambda: [1, 2, 3])

    @stash.memo(ttl=60)
    def total(numbers: Ref[list[int]]) -> int:
        return sum(numbers.get())

    refs = {}
    for session in ("first", "second"):
        with visit(stash, session):
            refs[session] = total.ref(source.ref())
    for session in ("first", "second", "first"):
        clock.now += 120
        with visit(stash, session):
            assert stash.ref(refs[session]).get() == 6


def test_references_inside_of_arguments_are_kept(stash: Stash, clock: ManualClock) -> None:
    source = stash.memo(lambda n: [n, n])

    @stash.memo(ttl=60)
    def total(
        many: list[Any], by_name: dict[str, Any], query: Query, *rest: Any, **named: Any
    ) -> int:
        refs = [*many, *by_name.values(), query.source, *rest, *named.values()]
        return sum(sum(ref.get()) for ref in refs) + query.limit

    for session in ("first", "second"):
        with visit(stash, session):
            a, b, c = source.ref(1), source.ref(2), source.ref(3)
            ref = total.ref([a], {"b": b}, Query(c), a, last=b)
            assert stash.ref(ref).get() == 20
            clock.now += 120
            assert stash.ref(ref).get() == 20


def test_a_reference_out_of_a_recipe_opens_for_nobody_else(
    stash: Stash, clock: ManualClock
) -> None:
    """Not even when the function passes it on."""
    source = stash.memo(lambda: [1, 2, 3])
    pass_on = stash.memo(ttl=60, scope="session")(lambda ref: [str(ref)])
    with visit(stash):
        ref = pass_on.ref(source.ref())
        clock.now += 120
        (text,) = stash.ref(ref).get()
        assert stash.ref(text).get() == [1, 2, 3]
    with visit(stash, "another's"), pytest.raises(RefInvalid, match="foreign"):
        stash.ref(text)


def test_what_was_made_of_a_users_value_opens_for_no_other_user_of_the_browser(
    stash: Stash, clock: ManualClock
) -> None:
    """Nor does a reference that the function passes on, before or after it is computed again."""
    mine = stash.memo(scope="user")(lambda: [1, 2, 3])
    total = stash.memo(lambda refs: sum(refs["of"].get()))
    of_page = stash.memo(scope="page")(lambda ref: [2 * n for n in ref.get()])
    pass_on = stash.memo(ttl=60, scope="session")(lambda ref: [str(ref)])
    with visit(stash, user="anna"):
        around = mine.ref()
        held = stash.memo(lambda: len(around.get()))
        refs = [
            total.ref({"of": mine.ref()}),
            held.ref(),
            of_page.ref(mine.ref()),
            total.ref({"of": of_page.ref(mine.ref())}),
        ]
        assert [stash.ref(ref).get() for ref in refs] == [6, 3, [2, 4, 6], 12]
        refs.append(pass_on.ref(mine.ref()))
        clock.now += 120
        refs += stash.ref(refs[-1]).get()
    for ref in refs:
        with visit(stash, user="bob"), pytest.raises(RefInvalid, match="foreign"):
            stash.ref(str(ref))


def stored(folder: pathlib.Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_ignored_arguments_are_not_stored(folder: pathlib.Path, clock: ManualClock) -> None:
    stash = Stash(url=f"file://{folder}", clock=clock)

    @stash.memo(ttl=60, ignore=["token", "rest", "more"])
    def load(name: str, token: str = "", *rest: str, **more: str) -> str:
        return f"{name} for {token or 'nobody'}"

    with visit(stash):
        ref = load.ref("sales", "T0P-S3CR3T", "T0P-S3CR3T too", key="T0P-S3CR3T as well")
        assert ref.get() == "sales for T0P-S3CR3T"
        load.forget("sales")
        assert b"T0P-S3CR3T" not in stored(folder)
        assert b"sales" in stored(folder)
        clock.now += 120
        assert ref.get() == "sales for nobody"


def test_a_value_that_needs_an_ignored_argument_is_not_computed_with_somebody_elses(
    stash: Stash, clock: ManualClock
) -> None:
    load = stash.memo(ttl=60, ignore="connection")(
        lambda connection, name: connection.execute("SELECT 1").fetchone()[0]
    )
    connection = sqlite3.connect(":memory:")
    with visit(stash):
        ref = load.ref(connection, "sales")
        assert ref.get() == 1
        clock.now += 120
        with pytest.raises(RefExpired, match=r"missing a required argument: 'connection'"):
            ref.get()
        assert load(connection, "sales") == ref.get() == 1
    connection.close()


def test_default_arguments_are_those_of_now(stash: Stash) -> None:
    """Functions made in one place may differ in nothing else."""

    def make(default: int) -> Any:
        @stash.memo(share=True)
        def f(n: int, factor: int = default) -> int:
            return n * factor

        return f

    double, triple = make(2), make(3)
    refs = double.ref(5), triple.ref(5)
    for memo in (double, triple):
        memo.forget()
    assert [ref.get() for ref in refs] == [10, 15]
    assert double.ref(5, 3) != triple.ref(5, 2)


def test_functions_of_one_name_do_not_open_each_others_references(stash: Stash) -> None:
    memos = [stash.memo(share=True)(f) for f in (lambda: "first", lambda: "second")]
    refs = [memo.ref() for memo in memos]
    for memo in memos:
        memo.forget()
    assert [ref.get() for ref in refs] == ["first", "second"]
