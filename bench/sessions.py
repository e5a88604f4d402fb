"""Very many sessions on four workers: each finds its own, budgets hold, and nothing grows."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import secrets
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.contenders import NAME
from bench.report import Demand, Section
from bench.timing import spread

_WORKERS = 4
_AT_ONCE = 200
_SIZE = 100_000
_START_WITHIN = 60.0
_LOOKS = 5
_OVER = 1.05
_ROOM = 1.03  # for the heads of entries, and for the references
_SOAK_SESSIONS = 500
_SOAK_EVERY = 10.0


class _Refused(Exception):
    """A response without an answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text[:500]}")
        self.status = status


@dataclass(frozen=True)
class _Found:
    """What a session found: its token, the seconds that reading took, and the worker."""

    token: str | None
    took: float
    worker: int


class _Browser:
    """One session: a cookie, a page of its own, and a token that nobody else has."""

    def __init__(self, port: int) -> None:
        """Load the page."""
        self._port = port
        self._headers = {"Content-Type": "application/json"}
        self.token = secrets.token_hex(16)
        self.ref = ""
        page = self._request("GET", "/")
        ids = re.search(r'data-ids="([^".]+\.[^".]+)', page)
        assert ids is not None
        self._headers["X-Dash-Stash"] = ids[1]

    def _request(self, method: str, path: str, body: str | None = None) -> str:
        # A connection of its own for each request, so that any worker may get it.
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        with contextlib.closing(connection):
            connection.request(method, path, body, self._headers)
            response = connection.getresponse()
            text = response.read().decode()
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise _Refused(response.status, text)
        if "Set-Cookie" in response.headers:
            self._headers["Cookie"] = response.headers["Set-Cookie"].partition(";")[0]
        return text

    def _call(self, output: str, source: str, value: object) -> object:
        """Call a callback, and return what it puts into its output."""
        body = {
            "output": f"{output}.data",
            "outputs": {"id": output, "property": "data"},
            "inputs": [{"id": source, "property": "data", "value": value}],
            "changedPropIds": [f"{source}.data"],
        }
        return json.loads(self._request("POST", "/_dash-update-component", json.dumps(body)))[
            "response"
        ][output]["data"]

    def keep(self, name: str = "data") -> None:
        """Keep 100 kB under a name."""
        self._call("kept", "keep", [name, self.token, _SIZE])

    def look(self) -> _Found:
        """Return what is kept."""
        return _Found(*self._call("found", "look", ["data", _SIZE]))  # type: ignore[misc]

    def put(self) -> None:
        """Get a reference."""
        self.ref = str(self._call("ref", "put", self.token))

    def open(self, ref: str) -> object:
        """Send a reference to a callback; None if it is refused."""
        try:
            return self._call("opened", "ref", ref)
        except _Refused as refused:
            if refused.status != http.HTTPStatus.FORBIDDEN:
                raise
            return None

    def log_out(self) -> None:
        """End the session."""
        self._call("gone", "go", 1)

    def leave(self) -> None:
        """Close the page and its tab."""
        self._request("POST", "/_dash-stash/leave", self._headers["X-Dash-Stash"])


@dataclass(frozen=True)
class _Server:
    """Four workers, and the folder of their store."""

    port: int
    folder: pathlib.Path
    process: subprocess.Popen[bytes]

    def settle(self, _number: int = 0) -> _Browser:
        """Return a new session that keeps a text and has a reference."""
        browser = _Browser(self.port)
        browser.keep()
        browser.put()
        return browser

    def stored(self) -> tuple[int, int]:
        """Return the bytes of all entries in the folder, and the number of sessions."""
        with contextlib.closing(
            sqlite3.connect(f"file:{self.folder}/index.sqlite?mode=ro", uri=True, timeout=30)
        ) as index:
            ((sessions,),) = index.execute("SELECT sessions FROM totals").fetchall()
        return sum(_sizes(self.folder / "entries")), sessions

    def takes(self) -> dict[str, int]:
        """Return what the workers and the store use: files, and kB of memory and of the index."""
        pid = self.process.pid
        children = (
            pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        )
        workers = [pathlib.Path("/proc", child) for child in children]
        return {
            "open files": sum(len(list((worker / "fd").iterdir())) for worker in workers),
            "memory": sum(_status(worker, "RssAnon") for worker in workers),
            "files": len(_sizes(self.folder)),
            "index": (self.folder / "index.sqlite").stat().st_size // 1000,
        }


def _status(process: pathlib.Path, name: str) -> int:
    lines = (process / "status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _sizes(folder: pathlib.Path) -> list[int]:
    """Return the sizes of all files in a folder that others change."""
    sizes = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                sizes += _sizes(pathlib.Path(entry.path))
            else:
                with contextlib.suppress(FileNotFoundError):
                    sizes.append(entry.stat().st_size)
    return sizes


@contextlib.contextmanager
def _serving(
    folder: pathlib.Path, max_bytes: int, max_sessions: int, idle: str
) -> Iterator[_Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--no-control-socket",
        "--log-level",
        "warning",
        "--backlog",
        str(2 * _AT_ONCE),
    ]
    command += [
        "--workers",
        str(_WORKERS),
        "--threads",
        "8",
        "--timeout",
        "120",
        "--bind",
        f"127.0.0.1:{port}",
        "bench.sessions_app:server",
    ]
    limits = {
        "BENCH_MAX_BYTES": str(max_bytes),
        "BENCH_MAX_SESSIONS": str(max_sessions),
        "BENCH_IDLE": idle,
    }
    process = subprocess.Popen(
        command,
        env={**os.environ, "DASH_STASH_URL": f"file://{folder}", "DASH_STASH_NAME": NAME, **limits},
    )
    try:
        give_up_at = time.monotonic() + _START_WITHIN
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError("the server does not start")
            time.sleep(0.1)
        yield _Server(port, folder / NAME, process)
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        _Browser(port)
    except OSError:
        return False
    return True


def sessions(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield what 10,000 sessions with 100 kB each find, and how much is stored when more come."""
    count = 2000 if quick else 10_000
    max_bytes = int(count * _SIZE * _ROOM)
    with (
        _serving(folder / "sessions", max_bytes, count, "12h") as server,
        ThreadPoolExecutor(_AT_ONCE) as crowd,
    ):
        began = time.perf_counter()
        first = list(crowd.map(server.settle, range(100)))
        at_first = _looks(first)
        browsers = first + list(crowd.map(server.settle, range(count - 100)))
        found = list(crowd.map(_Browser.look, browsers))
        own = list(crowd.map(lambda browser: browser.open(browser.ref), browsers))
        others = list(
            crowd.map(
                lambda browser, other: browser.open(other.ref),
                browsers,
                browsers[1:] + browsers[:1],
            )
        )
        at_last = _looks(random.sample(browsers, 100))
        took = time.perf_counter() - began
        stored = _stored_during(
            server,
            lambda: list(
                crowd.map(lambda _: server.settle().keep("more"), range(int(count * (_OVER - 1))))
            ),
        )
    mixed = sum(f.token not in (None, b.token) for b, f in zip(browsers, found, strict=True))
    mixed += sum(
        value not in (None, {"token": b.token}) for b, value in zip(browsers, own, strict=True)
    )
    missed = sum(f.token is None for f in found) + sum(value is None for value in own)
    workers = len({f.worker for f in found})
    note = (
        f"{_AT_ONCE} at a time, {workers} workers, {took:.0f} s; "
        f"{len(stored)} looks at what is stored; workers time their hits"
    )
    yield Section(
        f"{count:,} sessions with 100 kB each",
        [
            Demand("found another session's data", mixed, 0, "times"),
            Demand(
                "opened another session's reference",
                sum(value is not None for value in others),
                0,
                "times",
            ),
            Demand("did not find their own", missed, 0, "times"),
            Demand(
                f"hit with {count:,} sessions against 100",
                statistics.median(at_last) / statistics.median(at_first),
                1.3,
            ),
            Demand(
                f"bytes stored at most, of max_bytes={max_bytes:,}",
                max(size for size, _ in stored) / max_bytes,
                1.02,
            ),
            Demand(
                f"sessions at most, of max_sessions={count:,}",
                max(sessions for _, sessions in stored) / count,
                1.02,
            ),
        ],
        {
            f"hit with {count:,} sessions": spread(at_last),
            "hit with 100 sessions": spread(at_first),
        },
        [note],
    )


def _looks(browsers: Sequence[_Browser]) -> list[float]:
    """Return the seconds that hits take, when a few ask at a time."""
    with ThreadPoolExecutor(_WORKERS) as few:
        return [found.took for _ in range(_LOOKS) for found in few.map(_Browser.look, browsers)]


def _stored_during(server: _Server, work: Callable[[], object]) -> list[tuple[int, int]]:
    """Return what is stored, again and again while *work* runs, and after it."""
    stored = []
    with ThreadPoolExecutor(1) as other:
        working = other.submit(work)
        while not working.done():
            stored.append(server.stored())
        working.result()
    return [*stored, server.stored()]


def soak(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield what the workers and the store use for 10 minutes in which sessions come and go."""
    seconds = 60.0 if quick else 600.0
    # Sessions expire so soon that the same number comes and goes.
    with _serving(folder / "soak", _SOAK_SESSIONS * _SIZE, _SOAK_SESSIONS, "45s") as server:
        over = threading.Event()
        callers = ThreadPoolExecutor(8)
        lives = [callers.submit(_live, server, over) for _ in range(8)]
        taken: list[dict[str, int]] = []
        try:
            while len(taken) * _SOAK_EVERY < seconds:
                over.wait(_SOAK_EVERY)
                taken.append(server.takes())
        finally:
            over.set()
        lived = sum(life.result() for life in lives)
        callers.shutdown()
    third = len(taken) // 3
    demands = []
    for what in taken[0]:
        middle, last = (
            statistics.median(t[what] for t in part)
            for part in (taken[third:-third], taken[-third:])
        )
        demands.append(
            Demand(
                f"{what} in the last third against the middle one ({last:,.0f})",
                last / middle,
                1.05,
            )
        )
    sample = taken[:: len(taken) // 6]
    notes = [
        f"{what}, from first to last: {', '.join(f'{each[what]:,}' for each in sample)}"
        for what in taken[0]
    ]
    yield Section(
        f"{seconds / 60:.0f} minutes with {lived:,} sessions that come and go", demands, notes=notes
    )


def _live(server: _Server, over: threading.Event) -> int:
    """Be one session after the other until it is *over*; return how many."""
    lived = 0
    while not over.is_set():
        browser = server.settle()
        for _ in range(3):
            browser.keep(random.choice(("data", "more")))
            browser.look()
            browser.open(browser.ref)
        random.choice((browser.log_out, browser.leave, lambda: None))()
        lived += 1
    return lived
