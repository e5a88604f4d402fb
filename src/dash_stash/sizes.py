"""Sizes as users write them."""

from __future__ import annotations

import math
import re

from dash_stash.errors import ConfigError

Size = int | float | str
"""A number of bytes, or text: "500MB" (of a million bytes each), "2GiB" (of 2**30 bytes each)."""

_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_TEXT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(I?)B\s*", re.IGNORECASE)


def in_bytes(size: Size, parameter: str) -> int:
    """Return *size* in bytes; *parameter* names it in the error.

    Raises:
        ConfigError: It is not a size.
    """
    match = _TEXT.fullmatch(size) if isinstance(size, str) else None
    if match is not None:
        number, power, binary = match.groups()
        return int(float(number) * (1024 if binary else 1000) ** _POWERS[power.upper()])
    if isinstance(size, str | bool) or not isinstance(size, int | float) or not math.isfinite(size):
        raise ConfigError(
            f'{parameter}={size!r} is not a size: write a number of bytes, or "500MB", "2GiB"'
        )
    return int(size)
