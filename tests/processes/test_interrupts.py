"""Whatever moment a signal handler chooses to raise an exception: nothing stays locked, open, or half done."""

from __future__ import annotations

import pathlib

import pytest

from dash_stash import Stash
from processes.apps import interrupts
from processes.running import result, start
from servers import Server

CALLS = ["modify", "memo", "refresh", "read", "put", "delete", "forget one", "forget all"]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_is_interrupted_at_any_moment_leaves_nothing_locked_or_open(folder: pathlib.Path, name: str) -> None:
    moments = result(start(interrupts.at_every_moment, folder, name), 300)
    assert moments > 50, "the call was hardly looked at"
    _must_serve(f"file://{folder}")


def _must_serve(url: str) -> None:
    """See that another process is served."""
    stash = Stash(url=url, secret=interrupts.SECRET)
    stash.app["counter"] = 0
    assert stash.app.modify("counter", lambda count: count + 1) == 1
