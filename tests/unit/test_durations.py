"""Durations as users write them, in seconds."""

from __future__ import annotations

import math
import re
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dash_stash import ConfigError
from dash_stash.clock import Duration, seconds


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (90, 90),
        (0.5, 0.5),
        ("90s", 90),
        ("15m", 900),
        ("1h", 3600),
        ("7d", 604800),
        ("1.5h", 5400),
        (" 2 h ", 7200),
        (timedelta(minutes=2), 120),
    ],
)
def test_every_spelling_is_seconds(duration: Duration, expected: float) -> None:
    assert seconds(duration, "ttl") == expected


@given(st.integers(1, 10**6), st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]))
def test_text_timedelta_and_seconds_agree(count: int, unit: tuple[str, int]) -> None:
    name, size = unit
    assert (
        seconds(f"{count}{name}", "ttl")
        == seconds(count * size, "ttl")
        == seconds(timedelta(seconds=count * size), "ttl")
    )


@pytest.mark.parametrize(
    "duration",
    [
        0,
        -1,
        -0.0,
        math.nan,
        "0s",
        timedelta(0),
        timedelta(seconds=-1),
        "",
        "90",
        "h",
        "1 hour",
        "-1s",
        "1e3s",
    ],
)
def test_what_is_no_time_span_is_refused_by_the_parameters_name(duration: Duration) -> None:
    with pytest.raises(ConfigError, match="stale="):
        seconds(duration, "stale")


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    assume(not re.fullmatch(r"\s*\d+(\.\d+)?\s*[smhd]\s*", text))
    with pytest.raises(ConfigError) as caught:
        seconds(text, "ttl")
    assert repr(text) in str(caught.value)
