"""Redis under forks, threads, greenlets, and gunicorn on two hosts as deploy/ has it."""

from __future__ import annotations

import contextlib
import http.client
import pathlib
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from processes.apps import machines
from processes.apps.machines import block_of, is_whole, open_machine
from processes.running import result, start
from servers import Server
from support import Browser, free_port, lines, must, serving

DEPLOY = pathlib.Path(__file__).parent.parent.parent / "deploy"


@pytest.mark.parametrize("push", ["", "?push=1"], ids=["checked", "pushed"])
def test_a_store_that_was_used_before_a_fork_works_in_parent_and_children(
    push: str, server: Server, tmp_path: pathlib.Path
) -> None:
    assert result(start(machines.use_after_fork, server.url + push, tmp_path / "cache", 4)) == []


def test_16_threads_share_a_store(server: Server, tmp_path: pathlib.Path) -> None:
    stash = open_machine(server.url, tmp_path / "cache")
    block = block_of(stash)

    def use(owner: int) -> None:
        for number in range(15):
            assert is_whole(block(number, 80_000), 80_000)
            assert is_whole(block.refresh(owner, 8000), 8000)
            stash.app.modify("count", lambda count: count + 1, default=0)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(use, range(16)))
    assert stash.app["count"] == 16 * 15


def test_greenlets_share_one_computation_and_never_block_the_others(
    server: Server, tmp_path: pathlib.Path
) -> None:
    answer = result(start(machines.use_in_greenlets, server.url, tmp_path / "cache", tmp_path, 20))
    assert answer["values"] == [7] * 20
    assert lines(tmp_path / "computed") == ["key"]
    assert answer["count"] == 20
    assert answer["longest pause"] < 0.2


@contextlib.contextmanager
def _host(url: str, cache: pathlib.Path, *options: str) -> Iterator[str]:
    """Run one host of the example."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        str(DEPLOY / "gunicorn.conf.py"),
        "--chdir",
        str(DEPLOY),
    ]
    command += [
        "--bind",
        f"127.0.0.1:{port}",
        "--log-level",
        "warning",
        "--timeout",
        "120",
        "--workers",
        "2",
        *options,
        "app:server",
    ]
    environment = {
        "DASH_STASH_URL": url,
        "DASH_STASH_SECRET": "the secret of both hosts",
        "XDG_CACHE_HOME": str(cache),
    }
    with serving(command, port, environment) as address:
        yield address


@pytest.mark.parametrize("worker", ["gthread", "gevent"])
def test_two_hosts_of_the_example_serve_one_browser(
    worker: str, server: Server, tmp_path: pathlib.Path
) -> None:
    options = () if worker == "gthread" else ("--worker-class", "gevent")
    with (
        _host(server.url, tmp_path / "cache1", *options) as first,
        _host(server.url, tmp_path / "cache2", *options) as second,
    ):
        browser = Browser(first)
        signal = browser.call("signal.data", station__value="north")
        told = []
        for address in (first, second) * 6:
            browser.address = address
            told.append(browser.call("who.children", signal__data=signal))
        assert len({re.findall(r"Computed by worker (\d+)", text)[0] for text in told}) == 1
        served = [re.findall(r"served by worker (\d+)", text)[0] for text in told]
        assert not set(served[::2]) & set(served[1::2]), "two hosts"
        clicks = []
        for address in (first, second) * 6:
            browser.address = address
            clicks.append(int(browser.call("clicks.children", button__n_clicks=1).split()[0]))
        assert clicks == list(range(1, 13))
        stranger = Browser(second)
        assert stranger.post("who.children", signal__data=signal).status_code == 403


def test_behind_a_proxy_with_an_address_of_its_own_the_cookie_is_secure(
    server: Server, tmp_path: pathlib.Path
) -> None:
    with _host(server.url, tmp_path / "cache") as address:
        for came_by, is_secure in (("https", True), ("http", False)):
            proxy = http.client.HTTPConnection(
                address.removeprefix("http://"), source_address=("127.0.0.2", 0)
            )
            with contextlib.closing(proxy):
                proxy.request("GET", "/", headers={"X-Forwarded-Proto": came_by})
                cookie = must(proxy.getresponse().getheader("Set-Cookie"))
            assert ("Secure" in cookie.split("; ")) == is_secure
