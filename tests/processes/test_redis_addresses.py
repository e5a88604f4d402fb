"""Every kind of address, from a socket and TLS to a Sentinel's fail-over and a cluster."""

from __future__ import annotations

import pathlib
import subprocess
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from dash_stash import Stash, StoreUnavailable
from processes.apps import machines
from processes.apps.machines import block_of, is_whole, open_machine
from processes.running import result, start
from servers import (
    PRIMARY_NAME,
    REDIS,
    VALKEY,
    Server,
    running,
    running_cluster,
    running_sentinel,
    running_with_tls,
    started,
)
from support import lines, must, wait_until

MB = 10**6


def _works(url: str, place: pathlib.Path) -> None:
    """What one machine stores the other has: values of several chunks, state.

    And what it forgets is gone there.
    """
    first, second = (open_machine(url, place / f"cache{number}") for number in (1, 2))
    block_of(first)(1, 3 * MB)
    assert is_whole(must(block_of(second).peek(1, 3 * MB)), 3 * MB)
    assert second.ref(str(first.put({"a": 1}, share=True))).get() == {"a": 1}
    for number in range(50):
        first.app[f"variable {number}"] = number
        assert second.app.modify(f"variable {number}", lambda value: value + 1) == number + 1
    assert sum(name.startswith("variable ") for name in second.app) == 50
    block_of(second).forget(1, 3 * MB)
    wait_until(lambda: block_of(first).peek(1, 3 * MB) is None, "it is forgotten", 2)
    block_of(second)(2, 8000)
    block_of(first).forget()
    wait_until(lambda: block_of(second).peek(2, 8000) is None, "it is forgotten", 2)


@pytest.mark.parametrize("program", [REDIS, VALKEY], ids=["redis", "valkey"])
def test_redis_and_valkey(program: str, tmp_path: pathlib.Path) -> None:
    with running(tmp_path / "server", program) as server:
        _works(server.url, tmp_path)
        _works(f"{server.url}?push=1", tmp_path)
        _works(f"unix://{tmp_path}/server/socket", tmp_path)


def test_valkey_by_its_own_name(tmp_path: pathlib.Path) -> None:
    with running(tmp_path / "server", VALKEY) as server:
        _works(server.url.replace("redis://", "valkey://"), tmp_path)


def test_a_password_a_user_and_a_database(tmp_path: pathlib.Path) -> None:
    with running(tmp_path / "server", requirepass="p@ss/word") as server:
        server.ask(
            "ACL",
            "SETUSER",
            "dash",
            "on",
            ">s:ecret",
            "~*",
            "&*",
            "+@all",
            "-@admin",
            "-@dangerous",
            "+info",
        )
        _works(f"redis://:p%40ss%2Fword@127.0.0.1:{server.port}/0", tmp_path)
        _works(f"redis://dash:s%3Aecret@127.0.0.1:{server.port}/3", tmp_path)
        one, other = (
            open_machine(
                f"redis://dash:s%3Aecret@127.0.0.1:{server.port}/{database}", tmp_path / "c"
            )
            for database in (3, 4)
        )
        one.app["name"] = 3
        assert "name" not in other.app


def test_tls_with_certificates_on_both_sides(tmp_path: pathlib.Path) -> None:
    with running_with_tls(tmp_path / "server") as (server, files):
        shown = {
            "ssl_ca_certs": files.authority,
            "ssl_certfile": files.client,
            "ssl_keyfile": files.client,
        }
        address = f"rediss://127.0.0.1:{server.port}/0"
        _works(f"{address}?{urlencode(shown)}", tmp_path)
        for missing in ("ssl_ca_certs", "ssl_certfile"):
            some = {
                name: path
                for name, path in shown.items()
                if name != missing and (missing, name) != ("ssl_certfile", "ssl_keyfile")
            }
            with pytest.raises(StoreUnavailable):
                open_machine(f"{address}?{urlencode(some)}", tmp_path / "cache3").put(1, share=True)


def test_after_a_fail_over_by_the_sentinel_all_goes_on_at_the_new_primary(
    tmp_path: pathlib.Path,
) -> None:
    with running_sentinel(tmp_path / "servers") as servers:
        url = f"redis+sentinel://127.0.0.1:{servers.sentinel.port}/{PRIMARY_NAME}/0"
        _works(url, tmp_path)
        first, second = (open_machine(url, tmp_path / f"cache{number}") for number in (1, 2))
        first.app["name"] = "from before"
        wait_until(lambda: servers.primary.ask("WAIT", 1, 1000), "the replica has it")
        servers.primary.kill()
        block_of(first)(7, 8000)
        new = str(servers.replica.port).encode()
        wait_until(
            lambda: _primary(servers.sentinel)[1] == new,
            "the Sentinel has made the replica primary",
        )
        promoted = time.monotonic()
        wait_until(lambda: _can_write(first), "it is written to the new primary")
        assert time.monotonic() - promoted < 3
        assert second.app["name"] == "from before"
        _works(url, tmp_path)


def _primary(sentinel: Server) -> tuple[bytes, bytes]:
    answer = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", PRIMARY_NAME)
    assert isinstance(answer, list)
    return answer[0], answer[1]


def _can_write(stash: Stash) -> bool:
    try:
        stash.app["written"] = True
    except StoreUnavailable:
        return False
    return True


def test_a_cluster_of_three(tmp_path: pathlib.Path) -> None:
    with running_cluster(tmp_path / "servers") as nodes:
        url = f"redis+cluster://127.0.0.1:{nodes[0].port}/0"
        _works(url, tmp_path)
        assert all(node.ask("DBSIZE") for node in nodes), "each has its share"
        first, second = (open_machine(url, tmp_path / f"cache{number}") for number in (1, 2))
        for number in range(20):
            block_of(first)(number, 8000)
        nodes[2].kill()
        for number in range(40):
            assert is_whole(block_of(second)(number, 8000), 8000), (
                "with a node away, the others serve, or it is computed"
            )


def test_two_apps_with_prefixes_of_their_own_see_nothing_of_each_other(
    tmp_path: pathlib.Path,
) -> None:
    with running(tmp_path / "server") as server:
        one, other = (
            open_machine(f"{server.url}?prefix={name}", tmp_path / name)
            for name in ("one", "other")
        )
        one.app["name"] = 1
        block_of(one)(1, 8000)
        assert "name" not in other.app
        assert block_of(other).peek(1, 8000) is None
        block_of(other)(1, 8000)
        block_of(other).forget()
        assert block_of(one).peek(1, 8000) is not None
        with server.client() as client:
            assert not [
                key for key in client.scan_iter() if b"one" not in key and b"other" not in key
            ]


class Network:
    """Two machines and a server, each with a network of its own.

    Only the server's is connected to both.
    """

    def __init__(self) -> None:
        self._holders = [
            subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"]
            )
            for _ in range(3)
        ]
        for holder in self._holders:
            wait_until(
                lambda holder=holder: self._is_apart(holder.pid),  # type: ignore[misc]
                "it has a network of its own",
            )
        for number, holder in enumerate(self._holders[1:], 1):
            self._ip(0, f"link add link{number} type veth peer name line netns {holder.pid}")
            self._ip(0, f"address add 10.77.{number}.1/24 dev link{number}")
            self._ip(0, f"link set link{number} up")
            self._ip(number, f"address add 10.77.{number}.2/24 dev line")
            self._ip(number, "link set line up")

    @staticmethod
    def _is_apart(pid: int) -> bool:
        own, other = (
            pathlib.Path(f"/proc/{process}/ns/net").readlink() for process in ("self", pid)
        )
        return own != other

    def _ip(self, number: int, command: str) -> None:
        subprocess.run([*self.within(number), "ip", *command.split()], check=True)

    def within(self, number: int) -> list[str]:
        """Return what runs a command in the network of the server (0) or of a machine (1, 2)."""
        return ["nsenter", "--net", "--target", str(self._holders[number].pid)]

    def close(self) -> None:
        for holder in self._holders:
            holder.kill()
            holder.wait()


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    try:
        yield network
    finally:
        network.close()


def test_two_machines_with_networks_of_their_own(network: Network, tmp_path: pathlib.Path) -> None:
    server = Server(
        tmp_path / "server",
        within=network.within(0),
        host="10.77.1.1 10.77.2.1",
        protected_mode="no",
    )
    with started(server):
        jobs = []
        for number in (1, 2):
            url = f"redis://10.77.{number}.1:{server.port}/0"
            jobs.append(
                start(
                    machines.call_slow,
                    url,
                    tmp_path / f"cache{number}",
                    tmp_path,
                    5,
                    within=network.within(number),
                )
            )
        wait_until(
            lambda: len(lines(tmp_path / "asked")) == 10 and lines(tmp_path / "computed"),
            "all have asked",
        )
        time.sleep(0.3)  # for the last of them to begin to wait
        (tmp_path / "go").touch()
        assert [number for job in jobs for number, _ in result(job)] == [1] * 10
