"""Clocks, processes, servers and browsers for the tests."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import requests

from dash_stash.stores.base import Limits, Store
from dash_stash.stores.local import LocalStore

SEALING_KEY = b"the sealing key of all the tests"
SECRET = "a secret for the tests only"
NAME = "tests"
LIMITS = Limits(
    max_bytes=10**8, max_entries=1000, max_sessions=100, max_session_bytes=10**8, idle=12 * 3600.0
)
TESTS = pathlib.Path(__file__).parent

T = TypeVar("T")


def sweep(store: Store) -> None:
    """Do at once what the janitor does every few seconds."""
    assert isinstance(store, LocalStore)
    wait_until(store.janitor.sweep, "nobody else sweeps", 30)


def must(value: T | None) -> T:
    """Return a value that has to be there."""
    assert value is not None
    return value


def wait_until(condition: Callable[[], T], what: str, seconds: float = 30.0) -> T:
    """Poll until *condition* holds, and return what it returned."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.002)
    raise AssertionError(f"waited {seconds} s in vain: {what}")


def start_python(
    code: str, *arguments: object, within: Sequence[str] = (), **environment: str
) -> subprocess.Popen[str]:
    """Start a process that runs *code*.

    It finds the arguments in sys.argv, and what tests have in common in `support`.

    *within* is a command that runs it in another network.
    It is killed, with its children, at the end of the test.
    """
    process = subprocess.Popen(
        [*within, sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS), **environment},
        start_new_session=True,
    )
    _started.append(process)
    return process


_started: list[subprocess.Popen[str]] = []


def end_processes() -> None:
    """Kill the processes that a test has started, and their children, if they are still there."""
    while _started:
        process = _started.pop()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def run_python(code: str, *arguments: object, **environment: str) -> str:
    """Run *code* in a process of its own and return what it printed."""
    process = start_python(code, *arguments, **environment)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 0, f"exit status {process.returncode}"
    return printed.strip()


def remove_folder(folder: pathlib.Path) -> None:
    """Remove a store's folder, into which its janitor may be laying files meanwhile."""
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


def lines(path: pathlib.Path) -> list[str]:
    """Return the lines of a log that processes append to."""
    return path.read_text().splitlines() if path.exists() else []


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(
    command: list[str], port: int, environment: dict[str, str] | None = None, authority: str = ""
) -> Iterator[str]:
    """Run a server for the length of a with block; the block is told its address.

    With *authority*, the file of a certificate authority, it is one of https.
    """
    process = subprocess.Popen(
        command, env={**os.environ, **(environment or {})}, start_new_session=True
    )
    address = f"https://localhost:{port}" if authority else f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(address, timeout=30, verify=authority or True).ok
        return False

    try:
        wait_until(answers, "the server answers", 60)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def gunicorn(
    app: str,
    folder: pathlib.Path,
    *options: str,
    workers: int = 4,
    authority: str = "",
    port: int | None = None,
    **environment: str,
) -> Iterator[str]:
    """Serve an app of tests/processes/apps under gunicorn; its store and logs are in *folder*."""
    port = port or free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--no-control-socket",
        "--log-level",
        "warning",
        "--timeout",
        "120",
    ]
    command += [
        "--workers",
        str(workers),
        "--bind",
        f"127.0.0.1:{port}",
        "--chdir",
        str(TESTS / "processes" / "apps"),
        *options,
        app,
    ]
    variables = {
        "STASH_TEST_FOLDER": str(folder),
        "DASH_STASH_NAME": NAME,
        "DASH_STASH_SECRET": SECRET,
        **environment,
    }
    with serving(command, port, variables, authority) as address:
        yield address


class Browser:
    """A browser as far as Dash's protocol goes: cookies, a loaded page, and callbacks."""

    def __init__(self, address: str) -> None:
        """Load the page."""
        self.address = address
        self.cookies = requests.Session()
        page = self._request("GET", "/").text
        self.page = page.partition('data-ids="')[2].partition('"')[0].rpartition(".")[0]

    def _request(self, method: str, path: str, **options: Any) -> requests.Response:
        # A connection of its own for each request, so that any worker may get it.
        headers = {"Connection": "close", **options.pop("headers", {})}
        return self.cookies.request(
            method, self.address + path, headers=headers, timeout=60, **options
        )

    def post(self, output: str, **inputs: Any) -> requests.Response:
        """Call the callback of *output* ("id.property"); inputs are named id__property."""
        properties = [name.rsplit("__", 1) for name in inputs]
        body = {
            "output": output,
            "outputs": dict(zip(("id", "property"), output.rsplit(".", 1), strict=True)),
            "inputs": [
                {"id": i, "property": p, "value": inputs[f"{i}__{p}"]} for i, p in properties
            ],
            "changedPropIds": [".".join(properties[0])],
            "state": [],
        }
        headers = {"Content-Type": "application/json", "X-Dash-Stash": self.page}
        return self._request(
            "POST", "/_dash-update-component", data=json.dumps(body), headers=headers
        )

    def call(self, output: str, **inputs: Any) -> Any:
        """Call a callback and return what it put into its output."""
        response = self.post(output, **inputs)
        assert response.status_code == 200, f"{response.status_code}: {response.text[:2000]}"
        identifier, prop = output.rsplit(".", 1)
        return response.json()["response"][identifier][prop]
