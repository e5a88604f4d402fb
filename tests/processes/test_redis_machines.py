"""Several machines on one server: one computation, and one transfer to each machine.

Parts cross the network alone, and no change of a variable is lost.
"""

from __future__ import annotations

import pathlib
import signal
import subprocess
import time

import numpy as np
import pytest

from dash_stash import RefExpired
from processes.apps import machines
from processes.apps.machines import block_of, is_whole, open_machine, slow_of
from processes.running import result, start
from proxy import Proxy
from servers import Server, running
from support import NAME, lines, must, wait_until

MB = 10**6


def test_20_clients_on_2_machines_share_one_computation_and_wait_without_asking(
    server: Server, tmp_path: pathlib.Path
) -> None:
    jobs = [
        start(machines.call_slow, server.url, tmp_path / f"cache{machine}", tmp_path, 5)
        for machine in (1, 2, 1, 2)
    ]
    wait_until(
        lambda: len(lines(tmp_path / "asked")) == 20 and lines(tmp_path / "computed"),
        "all have asked",
    )
    time.sleep(0.5)  # for the last of them to begin to wait
    before = _commands(server)
    time.sleep(1)
    assert _commands(server) - before < 60, "waiting costs next to nothing"
    (tmp_path / "go").touch()
    got = [answer for job in jobs for answer in result(job)]
    assert [number for number, _ in got] == [1] * 20
    assert lines(tmp_path / "computed") == ["key"]
    latest = max(when for _, when in got) - float(lines(tmp_path / "ended")[0])
    assert latest < 0.5, "they were woken: the poll behind the message is slower"


def _commands(server: Server) -> int:
    info = server.ask("INFO", "stats")
    assert isinstance(info, dict)
    return int(info["total_commands_processed"])


def test_those_who_wait_on_another_machine_get_the_error_of_the_one_that_computes(
    server: Server, tmp_path: pathlib.Path
) -> None:
    jobs = [
        start(machines.call_failing, server.url, tmp_path / f"cache{machine}", tmp_path, 4)
        for machine in (1, 2)
    ]
    wait_until(
        lambda: len(lines(tmp_path / "asked")) == 8 and lines(tmp_path / "computed"),
        "all have asked",
    )
    time.sleep(0.3)  # for the last of them to begin to wait
    (tmp_path / "go").touch()
    assert [error for job in jobs for error in result(job)] == ["ValueError: no such key: key"] * 8
    assert lines(tmp_path / "computed") == ["key"]


def test_a_machine_that_vanishes_while_it_computes_is_replaced_after_its_lease(
    server: Server, tmp_path: pathlib.Path
) -> None:
    vanishing = start(machines.call_slow, server.url, tmp_path / "cache1", tmp_path, 1)
    wait_until(lambda: lines(tmp_path / "computed"), "the first computation began")
    other = start(machines.call_slow, server.url, tmp_path / "cache2", tmp_path, 1)
    wait_until(lambda: len(lines(tmp_path / "asked")) == 2, "the other one asked")
    vanishing.send_signal(signal.SIGKILL)
    died = time.monotonic()
    (tmp_path / "go").touch()
    ((number, when),) = result(other)
    assert number == 2
    assert when - died < 12


def test_different_keys_do_not_wait_for_each_other(server: Server, tmp_path: pathlib.Path) -> None:
    start(machines.call_slow, server.url, tmp_path / "cache1", tmp_path, 1)
    wait_until(lambda: lines(tmp_path / "computed"), "the first computation began")
    (tmp_path / "go 2").touch()
    assert slow_of(open_machine(server.url, tmp_path / "cache2"), tmp_path)("another key") == 2


def test_a_value_crosses_the_network_once_for_each_machine(
    server: Server, line: Proxy, tmp_path: pathlib.Path
) -> None:
    size = 8 * MB
    block_of(open_machine(server.url, tmp_path / "cache1"))(1, size)
    assert result(start(machines.read_block, line.url, tmp_path / "cache2", size))
    assert size < line.passed < 1.1 * size
    fetched = line.passed
    assert result(start(machines.read_block, line.url, tmp_path / "cache2", size)), (
        "another worker of that machine"
    )
    stash = open_machine(line.url, tmp_path / "cache2")
    for _ in range(10):
        assert is_whole(must(block_of(stash).peek(1, size)), size)
    assert line.passed - fetched < 20_000


def test_who_computed_a_value_does_not_fetch_it(
    server: Server, line: Proxy, tmp_path: pathlib.Path
) -> None:
    block = block_of(open_machine(line.url, tmp_path / "cache1"))
    assert is_whole(block(1, 8 * MB), 8 * MB)
    assert is_whole(block(1, 8 * MB), 8 * MB)
    assert line.passed < 20_000


def test_a_part_is_fetched_alone(server: Server, line: Proxy, tmp_path: pathlib.Path) -> None:
    value = {name: np.full(2 * MB // 8, number) for number, name in enumerate("abcd")}
    ref = open_machine(server.url, tmp_path / "cache1").put(value, share=True)
    other = open_machine(line.url, tmp_path / "cache2")
    part = other.ref(str(ref["b"]))
    assert (part.get() == 1).all()
    assert 2 * MB < line.passed < 3 * MB
    fetched = line.passed
    whole = other.ref(str(ref)).get()
    assert {name: int(array[-1]) for name, array in whole.items()} == {
        "a": 0,
        "b": 1,
        "c": 2,
        "d": 3,
    }
    assert line.passed - fetched < 9 * MB
    fetched = line.passed
    assert (part.get() == 1).all()
    assert line.passed - fetched < 20_000


def test_a_value_of_more_than_512_mb_goes_from_one_machine_to_another(
    server: Server, tmp_path: pathlib.Path
) -> None:
    size = 540 * MB
    reference = result(start(machines.put_huge, server.url, tmp_path / "cache1", size))
    assert result(start(machines.read_huge, server.url, tmp_path / "cache2", reference)) == [
        size // 8,
        0,
        size // 16,
        size // 8 - 1,
    ]


def _none_is_lost(
    server: Server, tmp_path: pathlib.Path, jobs: list[subprocess.Popen[str]], increments: int
) -> bool:
    """Whether all are counted that were not refused.

    Of those that were, as on a busy machine some are, each may be, too.
    """
    refused = sum(result(job) for job in jobs)
    assert refused < increments / 100
    counted: int = open_machine(server.url, tmp_path / "cache3").app["count"]
    return increments - refused <= counted <= increments


def test_none_of_10_000_increments_of_8_writers_on_2_machines_is_lost(
    server: Server, tmp_path: pathlib.Path
) -> None:
    jobs = [
        start(machines.increment, server.url, tmp_path / f"cache{machine}", 2, 1250)
        for machine in (1, 2, 1, 2)
    ]
    assert _none_is_lost(server, tmp_path, jobs, 10_000)


def test_no_increment_is_lost_while_leases_are_evicted(
    server: Server, tmp_path: pathlib.Path
) -> None:
    jobs = [
        start(machines.increment, server.url, tmp_path / f"cache{machine}", 2, 125)
        for machine in (1, 2, 1, 2)
    ]
    evicted = 0
    with server.client() as client:
        while any(job.poll() is None for job in jobs):
            evicted += sum(
                client.delete(lease)
                for lease in client.scan_iter(f"dash-stash:{NAME}:l:*", count=1000)
            )
    assert evicted > 20
    assert _none_is_lost(server, tmp_path, jobs, 1000)


def test_a_variable_written_on_one_machine_is_what_the_others_read_next(
    server: Server, tmp_path: pathlib.Path
) -> None:
    first, second = (open_machine(server.url, tmp_path / f"cache{number}") for number in (1, 2))
    for number in range(100):
        first.app["number"] = number
        assert second.app["number"] == number
        second.app["number"] = -number
        assert first.app["number"] == -number
    del first.app["number"]
    assert "number" not in second.app
    second.app["text"] = "x"
    assert list(first.app) == ["text"]


def test_chunks_of_old_versions_go_away(server: Server, tmp_path: pathlib.Path) -> None:
    block = block_of(open_machine(server.url, tmp_path / "cache1"))
    for _ in range(20):
        block.refresh(1, 4 * MB)
    wait_until(lambda: _used(server) < 12 * MB, "twenty versions take the room of one")
    block.forget()
    block(2, 80)
    wait_until(lambda: _used(server) < 4 * MB, "what is forgotten takes no room")


def _used(server: Server) -> int:
    info = server.ask("INFO", "memory")
    assert isinstance(info, dict)
    return int(info["used_memory_dataset"])


def test_chunks_of_a_writer_that_died_half_way_go_away(
    server: Server, tmp_path: pathlib.Path
) -> None:
    for _ in range(5):
        writer = start(machines.write_blocks, server.url, tmp_path / "cache1", 16 * MB)
        must(writer.stdout).readline()
        time.sleep(0.2)
        writer.kill()
        writer.wait()
    block = block_of(open_machine(server.url, tmp_path / "cache2"))
    for number in range(3):
        block.forget(number, 16 * MB)
    with server.client() as client:
        lasting = [
            key
            for key in client.scan_iter(count=1000)
            if client.memory_usage(key) > MB // 4 and client.pttl(key) == -1
        ]
    assert lasting == [], "what nobody will remove has an end"


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random", "volatile-lru", "noeviction"])
def test_with_too_little_memory_a_value_is_whole_or_a_miss(
    policy: str, tmp_path: pathlib.Path
) -> None:
    size = 2 * MB
    with running(
        tmp_path / "redis", maxmemory="15mb", maxmemory_policy=policy, maxmemory_samples="1"
    ) as server:
        first, second = (
            block_of(open_machine(server.url, tmp_path / f"cache{number}")) for number in (1, 2)
        )
        for round_ in range(40):
            assert is_whole(first(round_ % 12, size), size)
            for number in range(round_ % 12 + 1):
                value = second.peek(number, size)
                assert value is None or is_whole(value, size)


def test_a_value_that_lost_a_chunk_is_a_miss(server: Server, tmp_path: pathlib.Path) -> None:
    stash = open_machine(server.url, tmp_path / "cache1")
    block_of(stash)(1, 8 * MB)
    server.ask("DEL", _chunks(server)[-1])
    other = open_machine(server.url, tmp_path / "cache2")
    assert block_of(other).peek(1, 8 * MB) is None
    assert is_whole(block_of(other)(1, 8 * MB), 8 * MB), "it is computed again"
    block_of(other).forget()
    ref = stash.put(np.arange(MB), share=True)
    server.ask("DEL", _chunks(server)[0])
    with pytest.raises(RefExpired):
        other.ref(str(ref)).get()


def _chunks(server: Server) -> list[bytes]:
    with server.client() as client:
        chunks = sorted(
            key for key in client.scan_iter(count=1000) if client.memory_usage(key) > MB // 4
        )
    assert chunks, "there are none"
    return chunks
