"""A clock for tests."""

from __future__ import annotations


class ManualClock:
    """A clock that only moves when a test sets its `now`: `Stash(clock=ManualClock())`."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        """Take the first time, in seconds since the epoch."""
        self.now = now

    def __call__(self) -> float:
        """Return the time, in seconds since the epoch."""
        return self.now
