"""The numbers that the documentation promises of a folder and its apps, each written out here."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import pytest
from click.testing import CliRunner
from dash import Dash

from dash_stash import Stash, cli, demo
from dash_stash.codec import encode
from dash_stash.entries import Facts
from dash_stash.owner import Owner
from dash_stash.stores.local import LocalStore
from dash_stash.testing import ManualClock
from support import LIMITS, SEALING_KEY, SECRET, sweep, wait_until

KEY, OTHER = b"a key of 16 byte", b"another, 16 byte"


@pytest.fixture
def local(folder: pathlib.Path) -> Stash:
    return Stash(url=f"file://{folder}")


def put(store: LocalStore, key: bytes = KEY, value: object = "value", **facts: Any) -> None:
    given = {"kind": "state", "name": "v", "created": store.clock(), **facts}
    store.commit(None, key, Facts(**given), encode(value))


def stored(folder: pathlib.Path) -> int:
    return len([*folder.glob("entries/*/*")])


# What a Stash allows, without a word about it


def test_a_store_holds_2_gib_a_million_entries_and_10_000_sessions(local: Stash) -> None:
    limits = local._settings.limits
    assert (limits.max_bytes, limits.max_entries) == (2 * 2**30, 1_000_000)
    assert limits.max_sessions == 10_000


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("7B", 7),
        ("2kB", 2000),
        ("500MB", 500_000_000),
        ("1.5GB", 1_500_000_000),
        ("1TB", 10**12),
        ("2KiB", 2048),
        ("3MiB", 3 * 2**20),
        ("2GiB", 2**31),
        ("1TiB", 2**40),
    ],
)
def test_a_size_is_in_powers_of_1000_and_with_an_i_of_1024(
    text: str, size: int, folder: pathlib.Path
) -> None:
    assert Stash(url=f"file://{folder}", max_bytes=text)._settings.limits.max_bytes == size


def test_one_session_has_a_quarter_of_the_room(local: Stash, folder: pathlib.Path) -> None:
    assert local._settings.limits.max_session_bytes == 2**29
    assert Stash(url=f"file://{folder}", max_bytes=4000)._settings.limits.max_session_bytes == 1000


def test_what_nobody_uses_goes_after_12_hours(local: Stash, folder: pathlib.Path) -> None:
    clock = ManualClock()
    store = LocalStore(folder, SEALING_KEY, local._settings.limits, clock=clock)
    put(store, owner="session:a")
    clock.now += 12 * 3600 - 1
    sweep(store)
    assert stored(folder) == 1
    clock.now += 2
    sweep(store)
    assert stored(folder) == 0


# Shares of the limits


def test_a_tenth_of_the_sessions_may_be_seen_once_and_ten_times_as_many_have_ended() -> None:
    limits = dataclasses.replace(LIMITS, max_sessions=50)
    assert (limits.max_new_sessions, limits.max_ended) == (5, 500)
    assert dataclasses.replace(LIMITS, max_sessions=3).max_new_sessions == 1


def test_a_cookie_is_accepted_for_a_tenth_longer_than_data_is_kept_and_an_end_known_longer() -> (
    None
):
    limits = dataclasses.replace(LIMITS, idle=1000.0)
    assert limits.accepted == pytest.approx(1100 + 300)
    assert limits.ended == pytest.approx(1400 + 300 + 100)


def test_a_session_came_back_if_it_was_used_in_the_minute_before_it_stored_something(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    limits = dataclasses.replace(LIMITS, max_sessions=2)
    store = LocalStore(folder, SEALING_KEY, limits, clock=clock)
    for number, (scope, pause) in enumerate({"session:lately": 59, "session:long ago": 61}.items()):
        store.touch(Owner(scope))
        clock.now += pause
        put(store, bytes([number]) * 16, owner=scope)
    put(store, OTHER, owner="session:once")
    assert {listed.owner for listed in store.list()} == {"session:lately", "session:once"}


# The janitor


def test_the_janitor_comes_every_10_seconds(store: LocalStore) -> None:
    put(store)
    assert wait_until(store.janitor._work, "it has swept") == 10.0


def test_the_janitor_removes_1000_expired_entries_at_a_time(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    limits = dataclasses.replace(LIMITS, max_entries=2000)
    store = LocalStore(folder, SEALING_KEY, limits, clock=clock)
    for number in range(1010):
        put(store, number.to_bytes(16, "big"), gone_at=clock.now + 1)
    clock.now += 2
    sweep(store)
    assert stored(folder) == 10


def test_the_data_of_a_closed_tab_goes_after_30_seconds(
    store: LocalStore, clock: ManualClock, folder: pathlib.Path
) -> None:
    put(store, owner="session:a/tab:1")
    store.leave(Owner("session:a/tab:1"))
    clock.now += 29
    sweep(store)
    assert stored(folder) == 1
    clock.now += 2
    sweep(store)
    assert stored(folder) == 0


# What a process remembers


def test_what_a_process_remembers_is_trusted_for_a_second(
    store: LocalStore, clock: ManualClock, folder: pathlib.Path
) -> None:
    """So long a folder may serve what somebody has deleted by hand."""
    put(store)
    assert store.read(KEY) is not None
    (file,) = folder.glob("entries/*/*")
    file.unlink()
    clock.now += 0.9
    assert store.read(KEY) is not None
    clock.now += 0.2
    assert store.read(KEY) is None


def test_a_process_remembers_512_entries_of_64_kib_and_keeps_16_files_open(
    folder: pathlib.Path,
) -> None:
    store = LocalStore(folder, SEALING_KEY, dataclasses.replace(LIMITS, max_bytes=10**9))
    for number in range(520):
        key = number.to_bytes(16, "big")
        put(store, key, bytes(65_000 if number % 2 else 66_000))
        assert store.read(key) is not None
    assert len(store._cache) == 512
    bodies = [cached.body for _, cached in store._cache.items()]
    assert bodies.count(None) == 256, "what is larger than 64 KiB is read from its file"
    for number in range(20):
        put(store, key := bytes([number]) * 16, bytes(300_000))
        assert store.read(key) is not None
    assert len(store._open_files) == 16


# Clocks


@pytest.mark.parametrize(("ahead", "is_there"), [(299, True), (301, False)])
def test_a_clock_may_be_set_back_by_5_minutes(
    ahead: float, is_there: bool, store: LocalStore, clock: ManualClock
) -> None:
    put(store, gone_at=clock.now + 10_000)
    clock.now -= ahead
    assert (store.read(KEY) is not None) == is_there


# The gallery


def test_the_gallery_has_four_workers_at_port_8050_of_this_machine_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    served: list[tuple[str, int, int]] = []
    monkeypatch.setattr(demo, "serve", lambda *place: served.append(place))
    assert CliRunner().invoke(cli.main, ["demo"]).exit_code == 0
    assert served == [("127.0.0.1", 8050, 4)]


# Apps that share a store


def test_an_app_lists_its_own_variables_and_not_those_of_another(folder: pathlib.Path) -> None:
    """Two apps of one name, at two places of one server: one program serves both."""
    stashes = []
    for prefix in ("/sales/", "/sales-2/", "/"):
        app = Dash(__name__, url_base_pathname=prefix)
        stash = Stash(app, f"file://{folder}", secret=SECRET, name="one")
        stash.app[f"of {prefix}"] = prefix
        stash.app["of all"] = prefix
        stashes.append((prefix, stash))
    for prefix, stash in stashes:
        assert dict(stash.app) == {f"of {prefix}": prefix, "of all": prefix}
        assert len(stash.app) == 2
