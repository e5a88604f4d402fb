"""Whatever happens to the server, memo functions go on, and all recovers by itself.

It is away, dies, is empty, full, read-only or locked, hangs, or its connections are cut.
"""

from __future__ import annotations

import logging
import pathlib
import random
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dash_stash import Stash, StoreUnavailable
from dash_stash.stores.redis import server as server_module
from processes.apps import machines
from processes.apps.machines import block_of, in_background, is_whole, open_machine
from processes.running import full_disk, result, start
from proxy import Proxy
from servers import Server, running, running_replica
from support import lines, must, wait_until

MB = 10**6


def _goes_on(stash: Stash) -> None:
    """Memo functions compute and return.

    Who must be able to rely on the store is told that it is away.
    """
    block = block_of(stash)
    for number in range(20):
        assert is_whole(block(number, 80_000), 80_000)
        assert is_whole(block.refresh(number, 80_000), 80_000)
    with pytest.raises(StoreUnavailable):
        stash.put(1, share=True)
    with pytest.raises(StoreUnavailable):
        stash.app["name"] = 1
    with pytest.raises(StoreUnavailable):
        stash.app.modify("count", lambda count: count + 1, default=0)


def _is_back(writer: Stash, reader: Stash) -> None:
    """Within 2 s one machine reads what the other writes, and one computes for both."""
    began = time.monotonic()
    wait_until(lambda: _allowed(lambda: writer.app.update(back=began)), "it can be written to", 10)
    wait_until(lambda: _allowed(lambda: reader.app["back"]), "it can be read", 10)
    assert reader.app["back"] == began
    assert time.monotonic() - began < 2
    block_of(writer)(1000, 8000)
    assert is_whole(must(block_of(reader).peek(1000, 8000)), 8000)


def _allowed(call: Callable[[], object]) -> bool:
    try:
        call()
    except StoreUnavailable:
        return False
    return True


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_redis_may_be_absent_at_start_up(
    server: Server, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.kill()
    first, second = (open_machine(server.url, tmp_path / f"cache{number}") for number in (1, 2))
    _goes_on(first)
    (warning,) = _warnings(caplog)
    assert f"127.0.0.1:{server.port}" in warning
    server.start()
    _is_back(first, second)


def test_when_redis_dies_in_mid_flight_each_machine_computes_once(
    server: Server, tmp_path: pathlib.Path
) -> None:
    jobs = [
        start(machines.call_slow, server.url, tmp_path / f"cache{machine}", tmp_path, 5)
        for machine in (1, 2)
    ]
    wait_until(
        lambda: len(lines(tmp_path / "asked")) == 10 and lines(tmp_path / "computed"),
        "all have asked",
    )
    time.sleep(0.3)  # for the last of them to begin to wait
    server.kill()
    wait_until(lambda: len(lines(tmp_path / "computed")) == 2, "the machine that waited computes")
    (tmp_path / "go").touch()
    assert {number for job in jobs for number, _ in result(job)} <= {1, 2}
    assert len(lines(tmp_path / "computed")) == 2


def test_after_a_restart_with_nothing_in_it_machines_agree_again(
    server: Server, tmp_path: pathlib.Path
) -> None:
    first, second = (open_machine(server.url, tmp_path / f"cache{number}") for number in (1, 2))
    first.app["name"] = "from before"
    assert second.app["name"] == "from before"
    assert is_whole(block_of(first)(1, 8 * MB), 8 * MB)
    assert is_whole(must(block_of(second).peek(1, 8 * MB)), 8 * MB)
    server.kill()
    server.start()
    _is_back(first, second)
    assert "name" not in first.app
    assert "name" not in second.app
    first.app["name"] = "from now"
    assert second.app["name"] == "from now"
    assert is_whole(block_of(second)(1, 8 * MB), 8 * MB)
    block_of(first).forget(1, 8 * MB)
    assert block_of(first).peek(1, 8 * MB) is None
    assert block_of(second).peek(1, 8 * MB) is None


def test_a_read_only_replica_can_be_read(server: Server, tmp_path: pathlib.Path) -> None:
    block_of(open_machine(server.url, tmp_path / "cache1"))(100, 80_000)
    with running_replica(tmp_path / "replica", server) as replica:
        first, second = (
            open_machine(replica.url, tmp_path / f"cache{number}") for number in (2, 3)
        )
        assert is_whole(must(block_of(first).peek(100, 80_000)), 80_000)
        _goes_on(first)
        replica.ask("REPLICAOF", "NO", "ONE")
        _is_back(first, second)


def test_a_wrong_password_is_told_and_not_shown(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(tmp_path / "redis", requirepass="right") as server:
        wrong = server.url.replace(":right@", ":wrong-one@")
        first, second = (open_machine(wrong, tmp_path / f"cache{number}") for number in (1, 2))
        _goes_on(first)
        (warning,) = _warnings(caplog)
        assert "password" in warning.lower()
        assert "wrong-one" not in caplog.text
        with pytest.raises(StoreUnavailable) as refused:
            first.put(1, share=True)
        assert "wrong-one" not in str(refused.value)
        with server.client() as client:
            client.config_set("requirepass", "wrong-one")
            _is_back(first, second)


def test_a_redis_without_room_can_be_read(tmp_path: pathlib.Path) -> None:
    with (
        running(tmp_path / "redis", maxmemory="8mb", maxmemory_policy="noeviction") as server,
        server.client() as client,
    ):
        first, second = (open_machine(server.url, tmp_path / f"cache{number}") for number in (1, 2))
        block_of(first)(100, 80_000)
        client.config_set("maxmemory", "1mb")
        assert is_whole(must(block_of(second).peek(100, 80_000)), 80_000)
        _goes_on(second)
        client.config_set("maxmemory", "100mb")
        _is_back(first, second)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.5, 0.999])
def test_a_connection_that_is_cut_in_the_middle_of_a_value_costs_no_value(
    share: float, server: Server, line: Proxy, tmp_path: pathlib.Path
) -> None:
    size = 8 * MB
    block_of(open_machine(server.url, tmp_path / "cache1"))(1, size)
    other = open_machine(line.url, tmp_path / "cache2")
    _allowed(lambda: other.app.get("name"))  # it is connected
    line.cut_after(round(share * size) + 20)
    assert is_whole(block_of(other)(1, size), size)
    assert is_whole(
        must(block_of(open_machine(line.url, tmp_path / "cache2")).peek(1, size)), size
    ), "nothing torn was kept"


def test_a_value_that_comes_in_halves_is_whole(
    server: Server, line: Proxy, tmp_path: pathlib.Path
) -> None:
    block_of(open_machine(server.url, tmp_path / "cache1"))(1, 4 * MB)
    line.halves = True
    other = open_machine(line.url, tmp_path / "cache2")
    assert is_whole(must(block_of(other).peek(1, 4 * MB)), 4 * MB)
    other.app["name"] = "value"
    assert other.app["name"] == "value"


def test_cuts_while_values_are_written_leave_nothing_torn(
    server: Server, line: Proxy, tmp_path: pathlib.Path
) -> None:
    size, chance, rounds = 4 * MB, random.Random(1), 15
    first, second = (
        block_of(open_machine(line.url, tmp_path / "cache1")),
        block_of(open_machine(server.url, tmp_path / "cache2")),
    )

    def write() -> None:
        for number in range(rounds):
            assert is_whole(first.refresh(number % 3, size), size)

    writing = in_background(write)
    seen = 0
    while writing.is_alive():
        time.sleep(chance.uniform(0, 0.03))  # the random moment
        line.cut()
        value = second.peek(chance.randrange(3), size)
        assert value is None or is_whole(value, size)
        seen += value is not None
    assert seen


def test_a_server_that_hangs_is_noticed_within_250_ms_and_costs_nothing_from_then_on(
    server: Server, tmp_path: pathlib.Path
) -> None:
    first, second = (open_machine(server.url, tmp_path / f"cache{number}") for number in (1, 2))
    block = block_of(first)
    block(1, 8000)
    with server.stopped():
        assert _took(lambda: block(1, 8000)) < 0.3
        took = []
        until = time.monotonic() + 3
        while time.monotonic() < until:
            took.append(_took(lambda: block(1, 8000)))
        assert statistics.median(took) < 0.001
        assert max(took) < 0.1, "no caller waits for the server to come back"
        assert _took(lambda: _allowed(lambda: first.app["name"])) < 0.1
        _goes_on(first)
    _is_back(first, second)


def _took(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


def test_a_network_that_stalls_is_noticed_too(
    server: Server, line: Proxy, tmp_path: pathlib.Path
) -> None:
    stash = open_machine(line.url, tmp_path / "cache1")
    block_of(stash)(1, 8000)
    with line.stalled():
        assert _took(lambda: block_of(stash)(1, 8000)) < 0.35
        _goes_on(stash)
    _is_back(stash, open_machine(server.url, tmp_path / "cache2"))


def test_a_slow_network_is_no_outage(
    server: Server, line: Proxy, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    block_of(open_machine(server.url, tmp_path / "cache1"))(1, 16 * MB)
    line.delay = 0.02
    assert is_whole(
        must(block_of(open_machine(line.url, tmp_path / "cache2")).peek(1, 16 * MB)), 16 * MB
    )
    assert not _warnings(caplog)


def test_a_machine_whose_disk_is_full_fetches_what_it_cannot_keep(
    server: Server, tmp_path: pathlib.Path
) -> None:
    stash = open_machine(server.url, tmp_path / "cache1")
    ref = stash.put(np.arange(2 * MB), share=True)
    with full_disk(tmp_path / "disk") as ballast:
        other = open_machine(server.url, tmp_path / "disk")
        with ThreadPoolExecutor(8) as threads:
            got = list(threads.map(lambda _: other.ref(str(ref)).get()[-1], range(16)))
        assert got == [2 * MB - 1] * 16
        assert is_whole(block_of(other)(1, 4 * MB), 4 * MB)
        assert is_whole(must(block_of(stash).peek(1, 4 * MB)), 4 * MB), (
            "it has stored it all the same"
        )
        other.app["name"] = 1
        assert stash.app["name"] == 1
        ballast.empty()
        assert other.ref(str(ref)).get()[-1] == 2 * MB - 1


def test_an_outage_is_told_once_a_minute(
    server: Server,
    tmp_path: pathlib.Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steady, passed = server_module.steady_clock, [0.0]
    monkeypatch.setattr(server_module, "steady_clock", lambda: steady() + passed[0])
    stash = open_machine(server.url, tmp_path / "cache1")
    block_of(stash)(1, 8000)
    server.kill()
    for seconds, times in ((0, 1), (50, 1), (61, 2), (110, 2), (122, 3)):
        passed[0] = seconds
        for number in range(10):
            block_of(stash).refresh(number, 8000)
        assert len(_warnings(caplog)) == times
