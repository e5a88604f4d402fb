"""An older value never replaces a newer one, nor brings back a deleted one.

It does not matter what pauses, vanishes, is evicted or fails over.

Each test has all its rounds side by side, a key for each: they wait for one lease.
"""

from __future__ import annotations

import itertools
import pathlib
import random
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from processes.apps import machines
from processes.apps.machines import Source, dated_of, open_machine
from processes.running import result, start
from proxy import between
from servers import Server, running, running_replica
from support import NAME, lines, wait_until

ROUNDS = 200


class Race:
    """An old computation of each key that ends after a new one has been stored."""

    def __init__(self, place: pathlib.Path) -> None:
        self.place = place
        self.source = Source(place / "source")

    def begin_old(self, url: str) -> subprocess.Popen[str]:
        """Begin to compute all keys on the first machine, from what the source says now."""
        self.source.write(0, 1)
        job = start(machines.call_dated, url, self.place / "cache1", self.place, "go old", ROUNDS)
        wait_until(
            lambda: len(lines(self.place / "computed")) == ROUNDS, "all computations began", 60
        )
        return job

    def compute_new(self, url: str) -> None:
        """Compute all keys on the second machine, from what the source says later."""
        self.source.write(0, 2)
        (self.place / "go new").touch()
        assert (
            result(
                start(machines.call_dated, url, self.place / "cache2", self.place, "go new", ROUNDS)
            )
            == [2] * ROUNDS
        )

    def end_old(self, job: subprocess.Popen[str]) -> None:
        """Let the first machine come to its end."""
        (self.place / "go old").touch()
        result(job)

    def stored(self, url: str, cache: str = "cache3") -> list[int | None]:
        """What is stored, as a machine sees it."""
        dated = dated_of(open_machine(url, self.place / cache), self.place, "go new")
        return [dated.peek(key) for key in range(ROUNDS)]


@pytest.fixture
def race(tmp_path: pathlib.Path) -> Race:
    return Race(tmp_path)


def _is_new(stored: list[int | None]) -> bool:
    """Whether no older value is there.

    On a busy machine, some answers take over 250 ms, and then nothing is stored.
    """
    return 1 not in stored and stored.count(2) > ROUNDS // 2


def test_a_machine_that_was_stopped_for_longer_than_its_lease_changes_nothing(
    server: Server, race: Race
) -> None:
    old = race.begin_old(server.url)
    old.send_signal(signal.SIGSTOP)
    race.compute_new(server.url)
    old.send_signal(signal.SIGCONT)
    race.end_old(old)
    for cache in ("cache1", "cache2", "cache3"):
        assert _is_new(race.stored(server.url, cache))


def _all(server: Server) -> None:
    server.ask("FLUSHALL")


def _some(server: Server) -> None:
    with server.client() as client:
        keys = sorted(client.scan_iter(count=1000))
        for key in random.Random(1).sample(keys, len(keys) * 2 // 3):
            client.delete(key)


def _leases(server: Server) -> None:
    with server.client() as client:
        leases = list(client.scan_iter(f"dash-stash:{NAME}:l:*", count=1000))
        assert client.delete(*leases) == ROUNDS


@pytest.mark.parametrize("evict", [_all, _leases])
def test_a_machine_whose_lease_was_evicted_changes_nothing(
    evict: Callable[[Server], None], server: Server, race: Race
) -> None:
    old = race.begin_old(server.url)
    evict(server)
    race.compute_new(server.url)
    race.end_old(old)
    assert _is_new(race.stored(server.url))


@pytest.mark.parametrize("evict", [_all, _some])
def test_what_was_forgotten_does_not_come_back_when_the_note_of_that_is_evicted(
    evict: Callable[[Server], None], server: Server, race: Race
) -> None:
    old = race.begin_old(server.url)
    dated = dated_of(open_machine(server.url, race.place / "cache2"), race.place, "go new")
    for key in range(ROUNDS):
        dated.forget(key)
    evict(server)
    race.end_old(old)
    assert race.stored(server.url) == [None] * ROUNDS


def test_a_promoted_replica_that_knows_of_no_lease_keeps_the_newer_value(
    server: Server, race: Race, tmp_path: pathlib.Path
) -> None:
    with (
        between(server.port) as replication,
        running_replica(tmp_path / "replica", server, through=replication.port) as replica,
        between(server.port) as first,
    ):
        with replication.stalled():
            old = race.begin_old(first.url)
            server.kill()
            replica.ask("REPLICAOF", "NO", "ONE")
            first.lead_to(replica.port)
        race.compute_new(replica.url)
        race.end_old(old)
        assert _is_new(race.stored(replica.url))


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
def test_while_leases_and_values_are_evicted_nobody_sees_an_older_value_after_a_newer_one(
    policy: str, tmp_path: pathlib.Path
) -> None:
    source = Source(tmp_path / "source")
    with (
        running(
            tmp_path / "redis", maxmemory="5mb", maxmemory_policy=policy, maxmemory_samples="1"
        ) as server,
        server.client() as client,
    ):
        jobs = [
            start(machines.refresh_until, server.url, tmp_path / f"cache{machine}", tmp_path)
            for machine in (1, 2)
        ]
        jobs += [
            start(machines.look_until, server.url, tmp_path / f"cache{machine}", tmp_path)
            for machine in (2, 3)
        ]
        wait_until(lambda: len(lines(tmp_path / "ready")) == len(jobs), "all have begun")
        chance = random.Random(1)
        until = time.monotonic() + 4
        for number in itertools.takewhile(
            lambda number: number < 4000 or time.monotonic() < until, itertools.count()
        ):
            source.write(0, number)
            client.set(f"noise {number}", chance.randbytes(5000))
        (tmp_path / "stop").touch()
        refreshed = sum(result(job) for job in jobs[:2])
        seen = [result(job) for job in jobs[2:]]
        evicted = client.info("stats")["evicted_keys"]
    assert evicted > 1000
    assert refreshed > 100
    assert [older for _, older in seen] == [0, 0]
    assert min(numbers for numbers, _ in seen) > 20
