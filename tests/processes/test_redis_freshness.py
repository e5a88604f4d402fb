"""After `forget` or `refresh` has returned, no machine serves anything older for more than 2 s.

It does not matter what gets lost on the way.
"""

from __future__ import annotations

import pathlib
import random
import re
import statistics
import subprocess
import time

import pytest

from processes.apps import machines
from processes.apps.machines import block_of, open_machine
from processes.running import result, start
from proxy import Proxy, between
from servers import Server
from support import lines, wait_until

UPDATES = 1500
"""The soak (see bench/README.md) has 10,000."""

PUSH = "?push=1"

# Pushed messages, which say that a key has changed; answers never begin so.
_MESSAGES = re.compile(rb">.*", re.DOTALL)


@pytest.mark.parametrize("push", ["", PUSH], ids=["checked", "pushed"])
@pytest.mark.parametrize("how", ["forget", "refresh"])
def test_no_machine_serves_anything_older_than_2_seconds_through_random_disconnects(
    how: str, push: str, server: Server, tmp_path: pathlib.Path
) -> None:
    with between(server.port) as first, between(server.port) as second:
        callers = [
            start(machines.compare_until, line.url + push, tmp_path / f"cache{number}", tmp_path)
            for number, line in enumerate((first, second))
        ]
        wait_until(lambda: len(lines(tmp_path / "ready")) == len(callers), "all have begun")
        updating = start(
            machines.update, server.url + push, tmp_path / "cache3", tmp_path, how, UPDATES
        )
        _disturb([first, second], updating)
        assert result(updating) == UPDATES
        (tmp_path / "stop").touch()
        seen = [result(caller) for caller in callers]
    print(seen)
    assert [numbers["outdated"] for numbers in seen] == [0, 0]
    assert min(numbers["calls"] for numbers in seen) > 100


def _disturb(connections: list[Proxy], updating: subprocess.Popen[str]) -> None:
    """Cut, stall, refuse and swallow at random until the updates are done."""
    chance = random.Random(1)
    while updating.poll() is None:
        line = chance.choice(connections)
        what = chance.choice(["cut", "stall", "refuse", "swallow"])
        lasting = chance.uniform(0, 0.5)
        if what == "cut":
            line.cut()
        elif what == "stall":
            with line.stalled():
                time.sleep(lasting)
        elif what == "refuse":
            with line.down():
                time.sleep(lasting)
        else:
            line.swallows = _MESSAGES
            time.sleep(lasting)
            line.swallows = None
        time.sleep(chance.uniform(0, 0.3))  # the random moment


@pytest.mark.parametrize("push", ["", PUSH], ids=["checked", "pushed"])
def test_what_one_machine_forgets_is_gone_on_the_others(
    push: str, server: Server, tmp_path: pathlib.Path
) -> None:
    first, second = (
        block_of(open_machine(server.url + push, tmp_path / f"cache{number}")) for number in (1, 2)
    )
    for _ in range(20):
        first(1, 8000)
        assert second.peek(1, 8000) is not None
        first.forget(1, 8000)
        assert first.peek(1, 8000) is None
        wait_until(lambda: second.peek(1, 8000) is None, "it is gone there too", 2)
        second(1, 8000)
        second.forget()
        wait_until(lambda: first.peek(1, 8000) is None, "it is gone there too", 2)


def test_a_pushed_hit_costs_no_round_trip(server: Server, tmp_path: pathlib.Path) -> None:
    with between(server.port) as line:
        block = block_of(open_machine(line.url + PUSH, tmp_path / "cache1"))
        block(1, 8000)
        wait_until(lambda: _silent(line, block), "hits say nothing to the server")


def _silent(line: Proxy, block: machines.Block) -> bool:
    before = line.passed
    for _ in range(1000):
        block(1, 8000)
    return line.passed - before < 1000


def test_a_pushed_change_is_heard_of_at_once(server: Server, tmp_path: pathlib.Path) -> None:
    first, second = (
        block_of(open_machine(server.url + PUSH, tmp_path / f"cache{number}")) for number in (1, 2)
    )
    took = []
    for _ in range(10):
        first(1, 8000)
        wait_until(lambda: _is_trusted(server, second), "hits say nothing to the server")
        first.forget(1, 8000)
        began = time.monotonic()
        wait_until(lambda: second.peek(1, 8000) is None, "it is gone there too")
        took.append(time.monotonic() - began)
    assert statistics.median(took) < 0.2, "a value is looked at once a second in any case"


def _is_trusted(server: Server, block: machines.Block) -> bool:
    """Whether hits ask nothing, beside what this asks."""
    before = _commands(server)
    for _ in range(50):
        block(1, 8000)
    return _commands(server) - before < 10


def _commands(server: Server) -> int:
    info = server.ask("INFO", "stats")
    assert isinstance(info, dict)
    return int(info["total_commands_processed"])


def test_nothing_is_trusted_after_a_lost_connection_until_it_was_checked(
    server: Server, tmp_path: pathlib.Path
) -> None:
    with between(server.port) as line:
        first, second = (
            block_of(open_machine(server.url + PUSH, tmp_path / "cache1")),
            block_of(open_machine(line.url + PUSH, tmp_path / "cache2")),
        )
        for _ in range(20):
            first(1, 8000)
            wait_until(lambda: second.peek(1, 8000) is not None, "it has come")
            with line.down():
                first.forget(1, 8000)
            began = time.monotonic()
            wait_until(lambda: second.peek(1, 8000) is None, "it is gone there too")
            assert time.monotonic() - began < 2
