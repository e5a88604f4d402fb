"""Time: the clock that is handed in everywhere, and durations as users write them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta

from dash_stash.errors import ConfigError

Clock = Callable[[], float]
"""Returns the time in seconds since the epoch; tests hand in their own."""

Duration = float | str | timedelta
"""Seconds, a timedelta, or text such as "90s", "15m", "1h", "7d"."""

system_clock: Clock = time.time

SKEW = 300.0
"""Seconds by which clocks may differ: of machines or processes that share a folder, or one clock before and after it was set.

Within that nothing is lost, and a ttl is off by no more than the difference. What is from further in the future is of unknown age.
"""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TEXT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*")


def seconds(duration: Duration, parameter: str) -> float:
    """Return *duration* in seconds; *parameter* names it in the error.

    Raises:
        ConfigError: It is no duration, is not positive, or is text without a unit.
    """
    if isinstance(duration, str):
        match = _TEXT.fullmatch(duration)
        if match is None:
            raise ConfigError(
                f'{parameter}={duration!r} is not a duration: write seconds, a timedelta, or "90s", "15m", "1h", "7d"'
            )
        value = float(match[1]) * _UNITS[match[2]]
    elif isinstance(duration, timedelta):
        value = duration.total_seconds()
    elif isinstance(duration, int | float) and not isinstance(duration, bool):
        value = float(duration)
    else:
        what = f"a {type(duration).__qualname__}, not a duration"
        raise ConfigError(
            f'{parameter}={duration!r} is {what}: write seconds, a timedelta, or "90s", "15m", "1h", "7d"'
        )
    if not value > 0:
        raise ConfigError(f"{parameter}={duration!r} must be more than 0 seconds")
    return value
