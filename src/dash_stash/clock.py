"""The clock, and durations as users write them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta

from dash_stash.errors import ConfigError

Clock = Callable[[], float]
"""Returns the time in seconds since the epoch; tests pass their own."""

Duration = float | str | timedelta
"""Seconds, a timedelta, or text such as "90s", "15m", "1h", "7d"."""

system_clock: Clock = time.time

SKEW = 300.0
"""Seconds by which two clocks may differ, or by which one clock may be set.

It holds for machines that share a server, and for processes that share a folder. Within this limit
nothing is lost, and a ttl is wrong by at most the difference. If something was stored at a time
further in the future, its age is unknown.
"""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_FORMS = 'write seconds, a timedelta, or "90s", "15m", "1h", "7d"'
_TEXT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*")


def seconds(duration: Duration, parameter: str) -> float:
    """Return *duration* in seconds; *parameter* names it in the error.

    Raises:
        ConfigError: It is not a duration, not positive, or text without a unit.
    """
    if isinstance(duration, str):
        match = _TEXT.fullmatch(duration)
        if match is None:
            raise ConfigError(f"{parameter}={duration!r} is not a duration: {_FORMS}")
        value = float(match[1]) * _UNITS[match[2]]
    elif isinstance(duration, timedelta):
        value = duration.total_seconds()
    elif isinstance(duration, int | float) and not isinstance(duration, bool):
        value = float(duration)
    else:
        what = f"a {type(duration).__qualname__}, not a duration"
        raise ConfigError(f"{parameter}={duration!r} is {what}: {_FORMS}")
    if not value > 0:
        raise ConfigError(f"{parameter}={duration!r} must be more than 0 seconds")
    return value
