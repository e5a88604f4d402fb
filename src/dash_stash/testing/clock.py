"""A clock for tests."""

from __future__ import annotations


class ManualClock:
    """A clock that stands still until its `now` is set: `Stash(clock=ManualClock())`."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        """Take the time to begin at, in seconds since the epoch."""
        self.now = now

    def __call__(self) -> float:
        """Return the time."""
        return self.now
