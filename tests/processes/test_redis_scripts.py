"""Scripts are called by digest: the text crosses the network once, or once more if forgotten."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import pytest

from dash_stash.codec import encode
from dash_stash.entries import Facts
from dash_stash.owner import Owner
from dash_stash.stores.base import Landed
from dash_stash.stores.redis import RedisStore
from servers import Server, running_cluster
from support import LIMITS, SEALING_KEY

KEYS = [bytes([number]) * 16 for number in range(9)]
SESSION = Owner("session:aa")


def open_store(url: str, folder: pathlib.Path) -> RedisStore:
    return RedisStore(url, folder, SEALING_KEY, LIMITS, lease=600)


def use(store: RedisStore) -> None:
    """Do all that scripts are for, of every key and of a session."""
    for key in KEYS:
        flight = store.join(key)
        assert flight is not None
        assert not isinstance(flight, Landed)
        assert store.commit(flight, key, Facts("memo", "f", 0.0), encode("x" * 2000))
        flight.land()
        assert store.commit(None, bytes(15) + key[:1], _owned("x"), encode("x" * 2000))
        assert store.delete(key)
    store.touch(SESSION)
    store.leave(SESSION)
    assert store.list(owner=SESSION)
    store.end(Owner("user:aa"))


def _owned(name: str) -> Facts:
    return Facts("put", name, 0.0, owner=SESSION)


def sent(servers: Sequence[Server], command: str) -> int:
    """How often the servers have been sent a command."""
    count = 0
    for server in servers:
        with server.client() as client:
            count += client.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"]
    return count


def received(server: Server) -> int:
    """How many bytes the server has been sent."""
    with server.client() as client:
        return int(client.info("stats")["total_net_input_bytes"])


def test_a_hot_loop_sends_digests_and_no_text(server: Server, tmp_path: pathlib.Path) -> None:
    store = open_store(server.url, tmp_path / "cache")
    use(store)
    texts, digests, before = sent([server], "eval"), sent([server], "evalsha"), received(server)
    use(store)
    assert sent([server], "eval") == texts
    assert sent([server], "evalsha") - digests > 5 * len(KEYS)
    bytes_of_a_key = (received(server) - before) / len(KEYS)
    assert bytes_of_a_key < 10_000, "two values of 2 kB, and what is noted of them"


@pytest.mark.parametrize("how", ["flushed", "restarted"])
def test_a_server_that_forgot_its_scripts_costs_one_more_round_trip_for_each(
    how: str, server: Server, tmp_path: pathlib.Path
) -> None:
    store = open_store(server.url, tmp_path / "cache")
    use(store)
    if how == "flushed":
        server.ask("SCRIPT", "FLUSH")
    else:
        server.kill()
        server.start()
    texts = sent([server], "eval")
    use(store)
    again = sent([server], "eval") - texts
    assert 5 < again <= 11 + len(KEYS), "each script once, or as often as it is sent together"
    use(store)
    assert sent([server], "eval") - texts == again


def test_scripts_that_are_sent_together_are_all_run_when_the_server_has_forgotten_them(
    server: Server, tmp_path: pathlib.Path
) -> None:
    store = open_store(server.url, tmp_path / "cache")
    for key in KEYS:
        store.commit(None, key, _owned("x"), encode("x" * 2000))
    server.ask("SCRIPT", "FLUSH")
    store.end(SESSION)
    assert [key for key in KEYS if store.read(key) is not None] == []
    with server.client() as client:
        assert client.keys("dash-stash:[pvhrs]:*") == []


def test_each_node_of_a_cluster_gets_a_script_once_and_again_when_it_forgot(
    tmp_path: pathlib.Path,
) -> None:
    with running_cluster(tmp_path / "cluster") as nodes:
        store = open_store(f"redis+cluster://127.0.0.1:{nodes[0].port}", tmp_path / "cache")
        use(store)
        texts, digests = sent(nodes, "eval"), sent(nodes, "evalsha")
        use(store)
        assert sent(nodes, "eval") == texts
        assert sent(nodes, "evalsha") - digests > 5 * len(KEYS)
        for node in nodes:
            assert sent([node], "evalsha") > 0
            node.ask("SCRIPT", "FLUSH")
        use(store)
        assert sent(nodes, "eval") > texts
