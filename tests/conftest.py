"""What all tests share: a home of their own, an injected clock, a store, marks for `make quick`.

In CI a skipped test is a failure.
"""

from __future__ import annotations

import functools
import gc
import inspect
import os
import pathlib
import threading
import weakref
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import hypothesis
import pytest

from dash_stash import Stash
from dash_stash.stores.local import LocalStore
from dash_stash.testing import ManualClock
from servers import Server, running
from support import LIMITS, NAME, SEALING_KEY, SECRET, end_processes, wait_until

# A loaded machine may take its time.
hypothesis.settings.register_profile(
    "all", max_examples=50, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("all")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Keep tests away from the user's own folders."""
    place = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(place))
    for variable in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "DASH_STASH_URL", "DASH_STASH_SECRET"):
        monkeypatch.delenv(variable, raising=False)
    # Tests, and the programs that they run by `python -c`, are one app.
    monkeypatch.setenv("DASH_STASH_NAME", NAME)
    return place


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "stash"


@pytest.fixture
def store(folder: pathlib.Path, clock: ManualClock) -> LocalStore:
    return LocalStore(folder, SEALING_KEY, LIMITS, clock=clock)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("redis") / "server", rdbcompression="no") as server:
        yield server


@pytest.fixture(params=["folder", "server"])
def url(request: pytest.FixtureRequest, folder: pathlib.Path) -> str:
    """Where to store: what is promised is promised of all stores."""
    if request.param == "folder":
        return f"file://{folder}"
    server: Server = request.getfixturevalue("server")
    server.ask("FLUSHALL")
    return server.url


@pytest.fixture
def stash(url: str, clock: ManualClock) -> Stash:
    return Stash(url=url, secret=SECRET, clock=clock)


_stores: weakref.WeakSet[LocalStore] = weakref.WeakSet()


@pytest.fixture(autouse=True, scope="session")
def _note_stores() -> Iterator[None]:
    """Know all stores, to close what they keep open: to find them costs more than most tests."""
    make = LocalStore.__init__

    @functools.wraps(make)  # the same signature
    def noted(store: LocalStore, *args: Any, **options: Any) -> None:
        _stores.add(store)
        make(store, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalStore, "__init__", noted)
        yield


@pytest.fixture(autouse=True)
def no_leaks(folder: pathlib.Path) -> Iterator[None]:
    """Fail a test that leaves files open, threads running, or temporary files in its store."""
    files, threads = _open_files(), set(threading.enumerate())
    yield
    end_processes()
    if _open_files() - files:
        for store in _stores:
            store._open_files.clear()
    if _open_files() - files or _running(threads):
        gc.collect()  # files that nobody holds any more close, and the threads of an event loop end
    wait_until(
        lambda: not _open_files() - files, "all files are closed", 10
    )  # the janitor may be at work
    wait_until(lambda: not _running(threads), "all threads have ended", 10)
    assert not [*folder.glob("temporary/*"), *folder.glob("*/temporary/*")], "left behind"


# The threads in which async callers wait, and those of Dash's async callbacks, are idle until the
# process ends.
_POOLS = ("dash-stash", "ThreadPoolExecutor")

# A store keeps these open until it is collected.
_KEPT_OPEN = {"slots", "index.sqlite", "index.sqlite-wal", "index.sqlite-shm"}


def _running(before: set[threading.Thread]) -> set[threading.Thread]:
    return {
        thread
        for thread in threading.enumerate()
        if thread not in before and not thread.name.startswith(_POOLS)
    }


def _open_files() -> set[str]:
    """The files of stores that are open, but for those that a store keeps open."""
    files = set()
    for descriptor in pathlib.Path("/proc/self/fd").iterdir():
        try:
            files.add(os.readlink(descriptor))
        except FileNotFoundError:
            continue
    return {
        path
        for path in files
        if "/stash/" in path and path.rsplit("/", 1)[1].removesuffix(" (deleted)") not in _KEPT_OPEN
    }


# Whatever starts another process: functions, by the names that tests use, and fixtures.
_STARTING = {
    *("Popen", "ProcessPoolExecutor", "fork", "get_context", "gunicorn", "run_python", "running"),
    *("serving", "start_python", "subprocess"),
}
_SERVERS = {"server", "redis", "valkey", "ask_victim"}
_SLOW_FOLDERS = {"browser", "processes"}

# Their cases are many, or large.
_THOROUGH = {
    *("test_attacks.py", "test_clocks.py", "test_constants.py", "test_corpus.py", "test_guard.py"),
    *("test_implementation.py", "test_keys_changes.py", "test_lint_fix.py", "test_lint_output.py"),
    *("test_local_store.py", "test_memo_async.py", "test_mutations.py", "test_plugin_arguments.py"),
    *("test_plugin_pages.py", "test_plugin_refusals.py", "test_plugin_visitors.py"),
    *("test_keys_classes.py", "test_private_copies.py", "test_closures.py", "test_words.py"),
    *("test_computations.py", "test_redis_records.py", "test_plugin_install.py"),
    *("test_degrading.py", "test_folders.py", "test_keys_frames.py", "test_naming.py"),
    *("test_storable.py", "test_store_away.py", "test_users.py"),
    *("test_promised_numbers.py", "test_redis_urls.py", "test_store_contract.py"),
    "test_structure.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what the loop of editing and testing, `make quick`, leaves out."""
    for item in items:
        assert isinstance(item, pytest.Function)
        if _is_slow(item):
            item.add_marker("slow")
        if item.path.name in _THOROUGH or hypothesis.is_hypothesis_test(item.obj):
            item.add_marker("thorough")


def pytest_collection_finish() -> None:
    """Spare `no_leaks` the libraries: what is loaded by now is no garbage of a test."""
    gc.collect()
    gc.freeze()


def _is_slow(item: pytest.Function) -> bool:
    if _SLOW_FOLDERS & set(item.path.parts):
        return True
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    asked = {*item.fixturenames, *(each for each in parameters if isinstance(each, str))}
    return bool(asked & _SERVERS) or _starts_a_process(inspect.unwrap(item.function))


def _starts_a_process(test: FunctionType) -> bool:
    """Whether the test, or a helper in its module, uses one of those names."""
    names, unread = {test.__name__}, [test]
    while unread:
        found = _names_in(unread.pop().__code__) - names
        names |= found
        known = (test.__globals__.get(name) for name in found)
        # By the exact type: some tests define what must not be asked for its class.
        helpers = (each for each in known if type(each) is FunctionType)
        unread += (each for each in helpers if each.__module__ == test.__module__)
    return bool(names & _STARTING)


def _names_in(code: CodeType) -> set[str]:
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*map(_names_in, inner))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Count a skipped test as a failure where the gate is: what should be tested was not."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
