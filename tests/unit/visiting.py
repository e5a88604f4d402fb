"""Being a visitor, and many callers at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from dash_stash import Stash, keys, owner
from dash_stash.owner import Owner, Scope
from dash_stash.testing.calls import Caller
from dash_stash.visitor import Visitor


class NamedVisitor:
    """A visitor whose ids a test says."""

    before: Visitor | None = None

    def __init__(self, **ids: str) -> None:
        """Take the ids of user, session, tab and page."""
        self._ids = ids

    def owner(self, scope: Scope) -> Owner | None:
        if scope not in self._ids:
            return None
        session = self.owner("session") if scope in ("tab", "page") else None
        return owner.make(scope, keys.digest(self._ids[scope].encode()), session or owner.APP)

    def rotate(self) -> None:
        pass

    def end(self) -> None:
        self._ids["session"] += " later"


@contextlib.contextmanager
def visit(
    stash: Stash, session: str = "mine", page: str = "first", **others: str
) -> Iterator[None]:
    """Be a browser's session, and a page of it, for the length of a with block."""
    stash._deployment.visitor.enter(NamedVisitor(session=session, page=page, **others))
    try:
        yield
    finally:
        stash._deployment.visitor.enter(None)


def at_once(count: int, call: Callable[[int], Any]) -> list[Caller]:
    """Start *count* callers that begin at the same time; each is told its number."""
    barrier = threading.Barrier(count)

    def caller(number: int) -> Caller:
        return Caller(lambda: (barrier.wait(30), call(number))[1])

    return [caller(number) for number in range(count)]
