"""A signal handler may raise, or use the stash, at any moment: nothing stays locked or open."""

from __future__ import annotations

import pathlib

import pytest

from dash_stash import Stash
from processes.apps import interrupts
from processes.running import result, start
from servers import Server
from support import SECRET

CALLS = ["modify", "memo", "refresh", "read", "put", "delete", "forget one", "forget all"]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_is_interrupted_at_any_moment_leaves_nothing_locked_or_open(
    folder: pathlib.Path, name: str
) -> None:
    moments = result(start(interrupts.at_every_moment, folder, name), 300)
    assert moments > 50, "the call was hardly looked at"
    _must_serve(f"file://{folder}")


@pytest.mark.parametrize("seed", [1, 2])
def test_calls_that_are_interrupted_1000_times_at_random_leave_nothing_locked_or_open(
    folder: pathlib.Path, seed: int
) -> None:
    result(start(interrupts.at_random, f"file://{folder}", seed, 1000), 300)
    _must_serve(f"file://{folder}")


def test_calls_that_are_interrupted_at_random_leave_nothing_locked_on_a_server(
    server: Server,
) -> None:
    server.ask("FLUSHALL")
    result(start(interrupts.at_random, server.url, 3, 300), 300)
    _must_serve(server.url)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("modify", ["FlightCycle", "ReentrantCall"]),
        ("memo", ["FlightCycle", "ReentrantCall"]),
        ("delete", ["ReentrantCall"]),
    ],
)
def test_a_signal_handler_may_use_the_stash_at_any_moment_or_is_told_why_not(
    folder: pathlib.Path,
    name: str,
    expected: list[str],
) -> None:
    assert result(start(interrupts.by_its_own_thread, folder, name), 300) == expected
    _must_serve(f"file://{folder}")


def _must_serve(url: str) -> None:
    """See that another process is served."""
    stash = Stash(url=url, secret=SECRET)
    stash.app["counter"] = 0
    assert stash.app.modify("counter", lambda count: count + 1) == 1
