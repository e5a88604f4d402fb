"""Being a visitor, and many callers at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from dash_stash import Stash, keys
from dash_stash.scope import Scope, Visit
from dash_stash.testing.calls import Caller

__all__ = ["Caller", "Visitor", "at_once", "visit"]


class Visitor:
    """A visit by whom a test says."""

    before: Visit | None = None

    def __init__(self, **ids: str) -> None:
        """Take the ids of user, session, tab and page."""
        self._ids = ids

    def owner(self, scope: Scope) -> str | None:
        if scope not in self._ids:
            return None
        identified = keys.digest(self._ids[scope].encode()).hex()
        return (
            f"{self.owner('session')}/{scope}:{identified}"
            if scope in ("tab", "page")
            else f"{scope}:{identified}"
        )

    def rotate(self) -> None:
        pass

    def end(self) -> None:
        self._ids["session"] += " later"


@contextlib.contextmanager
def visit(
    stash: Stash, session: str = "mine", page: str = "first", **others: str
) -> Iterator[None]:
    """Be a browser's session, and a page of it, for the length of a with block."""
    stash.visits.enter(Visitor(session=session, page=page, **others))
    try:
        yield
    finally:
        stash.visits.enter(None)


def at_once(count: int, call: Callable[[int], Any]) -> list[Caller]:
    """Start *count* callers that begin at the same time; each is told its number."""
    barrier = threading.Barrier(count)

    def caller(number: int) -> Caller:
        return Caller(lambda: (barrier.wait(30), call(number))[1])

    return [caller(number) for number in range(count)]
