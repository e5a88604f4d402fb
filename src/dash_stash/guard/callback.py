"""A callback of the app as the guard knows it: what it can reach, and how long each look takes."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any, Final

from dash_stash.guard.reach import Reach, reach
from dash_stash.guard.source import SourceLine
from dash_stash.guard.variables import SharedVariable

_log = logging.getLogger("dash_stash")

_MOST_LABELS: Final = 5
_MOST_MISSES: Final = 3
"""A variable that used up all the time this often, one call after the other, is left alone."""


class WatchedCallback:
    """One callback of the app."""

    def __init__(self, function: Callable[..., Any], outputs: str) -> None:
        """Take the function with its decorators, and the names of the properties it updates."""
        self.function, self.outputs = function, outputs
        own = inspect.unwrap(function)
        self.name = getattr(own, "__name__", type(own).__name__)
        code = getattr(own, "__code__", None)
        self.line = (
            SourceLine("?", 0)
            if code is None
            else SourceLine(code.co_filename, code.co_firstlineno)
        )
        self._reach: Reach | None = None
        self._seconds: dict[tuple[int, str], float] = {}
        self._misses: dict[tuple[int, str], int] = {}
        self._has_told = False

    def __str__(self) -> str:
        return f"{self.name}() at {self.line}"

    @property
    def reach(self) -> Reach:
        """What the callback's code can reach."""
        reached = self._reach  # another thread may be forgetting it
        if reached is None:
            reached = self._reach = reach(self.function)
        return reached

    def forget_reach(self) -> None:
        """Look again, the next time, at what the code can reach.

        A variable that has changed may hold other functions.
        """
        self._reach = None

    def in_turn(self) -> list[SharedVariable]:
        """Return the variables to look at, those that took little time last time first."""
        variables = [
            variable
            for variable in self.reach.variables
            if self._misses.get(variable.key, 0) < _MOST_MISSES
        ]
        return sorted(variables, key=lambda variable: self._seconds.get(variable.key, 0.0))

    def note_time(self, variable: SharedVariable, seconds: float, *, was_in_time: bool) -> None:
        """Note how long a look at a variable took."""
        self._seconds[variable.key] = seconds
        self._misses[variable.key] = 0 if was_in_time else self._misses.get(variable.key, 0) + 1

    def tell_unchecked(self, unchecked: list[SharedVariable], budget: float) -> None:
        """Log, once, which variables there was no time for."""
        if not unchecked or self._has_told:
            return
        self._has_told = True
        labels = ", ".join(variable.label for variable in unchecked[:_MOST_LABELS])
        if len(unchecked) > _MOST_LABELS:
            labels += f" and {len(unchecked) - _MOST_LABELS} more"
        _log.warning(
            "The guard has %.0f ms for each call of the callback %s, which is not enough for all "
            "that it can reach; changes of these are not noticed: %s",
            *(budget * 1000, self, labels),
        )
