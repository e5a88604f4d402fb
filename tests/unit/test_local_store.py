"""What only the store in a folder does: its budgets, its sweeps, and how little it keeps open."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import pathlib
import sqlite3
import threading
from typing import Any

import numpy as np
import pytest

from dash_stash import Stash
from dash_stash.codec import decode, encode
from dash_stash.entries import Facts
from dash_stash.keys import KEY_SIZE
from dash_stash.owner import Owner
from dash_stash.stores.base import GRACE
from dash_stash.stores.local import LocalStore, janitor
from dash_stash.stores.local.database import UselessError
from dash_stash.stores.local.eviction import owner_key
from dash_stash.stores.local.files import Temporary
from dash_stash.stores.local.index import Index
from dash_stash.stores.local.locks import locked
from dash_stash.stores.local.slots import Slots, _use_slots
from dash_stash.stores.local.store import LocalFlight, _ended_key
from dash_stash.testing import ManualClock
from dash_stash.testing.calls import Caller
from support import LIMITS, NAME, SEALING_KEY, must, run_python, sweep, wait_until


@pytest.fixture
def url(folder: pathlib.Path) -> str:
    return f"file://{folder}"


def key(number: int) -> bytes:
    return number.to_bytes(4, "big") * 4


def put(store: LocalStore, number: int, value: object, **facts: Any) -> None:
    store.commit(
        None,
        key(number),
        Facts(**{"kind": "put", "name": str(number), "created": 0.0, **facts}),
        encode(value),
    )


def names(store: LocalStore) -> list[int]:
    return sorted(int(listed.name) for listed in store.list())


def limited(folder: pathlib.Path, clock: ManualClock, **limits: int) -> LocalStore:
    return LocalStore(folder, SEALING_KEY, dataclasses.replace(LIMITS, **limits), clock=clock)


def test_bytes_stay_within_their_budget(folder: pathlib.Path, clock: ManualClock) -> None:
    store = limited(folder, clock, max_bytes=200_000)
    for number in range(30):
        put(store, number, np.zeros(5000))
        clock.now += 10
        assert sum(path.stat().st_size for path in (folder / "entries").glob("*/*")) <= 200_000
    assert names(store) == [26, 27, 28, 29]


def test_entries_stay_within_their_budget(folder: pathlib.Path, clock: ManualClock) -> None:
    store = limited(folder, clock, max_entries=5)
    for number in range(30):
        put(store, number, number)
        clock.now += 10
    assert names(store) == [25, 26, 27, 28, 29]
    assert len(list((folder / "entries").glob("*/*"))) == 5


def test_what_others_store_while_values_make_room_costs_no_variables(
    folder: pathlib.Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = limited(folder, clock, max_entries=3), limited(folder, clock)
    put(mine, 0, "a variable", kind="state")
    for number in range(1, 5):
        put(other, number, number)
        clock.now += 10
    exceeded, kept = mine.evictor._exceeded, []

    def look_before_others_store(index: Index) -> set[str]:
        found = exceeded(index)
        kept.append(not found)
        if kept.count(True) == 2:  # first within a step, then between two
            for number in range(5, 9):
                put(other, number, number)
        return found

    monkeypatch.setattr(mine.evictor, "_exceeded", look_before_others_store)
    mine.evictor.evict(clock())
    assert mine.read(key(0)) is not None


def test_what_is_read_stays(folder: pathlib.Path, clock: ManualClock) -> None:
    store = limited(folder, clock, max_entries=5)
    for number in range(30):
        put(store, number, number)
        clock.now += 10
        assert store.read(key(0)) is not None
    assert names(store) == [0, 26, 27, 28, 29]


def test_evicting_never_breaks_a_reader_that_holds_the_value(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock, max_entries=2)
    put(store, 0, np.arange(10**5))
    held = decode(must(store.read(key(0))).encoded)
    for number in range(1, 5):
        clock.now += 10
        put(store, number, np.arange(10**5) + number)
    assert store.read(key(0)) is None
    assert (held == np.arange(10**5)).all()


def test_what_is_over_goes_away_by_itself(folder: pathlib.Path, clock: ManualClock) -> None:
    store = limited(folder, clock)
    put(store, 1, "over", gone_at=clock.now + 30)
    put(store, 2, "lasting")
    clock.now += 120
    sweep(store)
    put(store, 3, "later")
    assert names(store) == [2, 3]
    assert len(list((folder / "entries").glob("*/*"))) == 2


def test_the_data_of_a_session_that_does_not_come_back_goes_away_by_itself(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock)
    put(store, 1, "left", owner="session:left")
    put(store, 2, "used", owner="session:used")
    put(store, 3, "everybody's")
    clock.now += LIMITS.idle / 2
    store.touch(Owner("session:used"))
    clock.now += LIMITS.idle / 2 + 60
    sweep(store)
    assert names(store) == [2, 3]


def test_a_session_goes_though_an_entry_that_is_always_used_shares_a_slot_with_it(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock)
    put(store, 1, "theirs", owner="session:abc")
    store.touch(Owner("session:abc"))
    slots = Slots(folder / "slots")
    for slot in _use_slots(owner_key(Owner("session:abc")))[1:]:
        for _ in range(20):
            clock.now += LIMITS.idle / 10
            slots.use(bytes(2) + slot.to_bytes(4, "little") + bytes(10), clock.now)
    sweep(store)
    assert names(store) == []


def test_of_a_thousand_idle_sessions_all_are_seen_to_be_idle_among_ten_thousand_used_entries(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    limited(folder, clock)._ready(clock())
    slots = Slots(folder / "slots")
    for number in range(10_000):
        slots.use((number * 2**32 // 10_000).to_bytes(4, "big") * 4, clock())
    assert (
        sum(slots.last_use(owner_key(Owner(f"session:{number}"))) > 0 for number in range(1000))
        <= 1
    )


def compare_all(store: LocalStore) -> None:
    for _ in range(256):
        sweep(store)


def test_a_file_whose_row_is_lost_is_found_and_counted_and_goes_with_its_session(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock)
    put(store, 1, "theirs", owner="session:abc")
    put(store, 2, "everybody's")
    size = store.handle.index().totals().bytes
    store.handle.index().remove([key(1), key(2)])
    assert names(store) == []
    compare_all(store)
    assert names(store) == [1, 2]
    assert store.handle.index().totals().bytes == size
    clock.now += 2 * LIMITS.idle
    sweep(store)
    assert names(store) == [2]


def test_a_row_whose_file_is_lost_does_not_count_for_long(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock)
    put(store, 1, np.zeros(1000))
    (folder / "entries" / key(1).hex()[:2] / key(1).hex()).unlink()
    compare_all(store)
    assert store.handle.index().totals().bytes == 0


def test_files_of_another_version_or_secret_are_counted_and_make_room(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    strangers = LocalStore(folder, b"the sealing key of somebody else", LIMITS, clock=clock)
    for number in range(10):
        put(strangers, number, np.zeros(10_000))
    for path in folder.glob("index*"):
        path.unlink()
    store = limited(folder, clock, max_bytes=500_000)
    for number in range(10, 15):
        clock.now += 2
        put(store, number, np.zeros(10_000))
    assert (
        sum(path.stat().st_size for path in (folder / "entries").rglob("*") if path.is_file())
        <= 500_000
    )
    assert [number for number in range(10, 15) if store.read(key(number)) is None] == []


def test_what_was_left_goes_soon_unless_it_is_used_again(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock)
    for number, owner in enumerate(
        ["session:a", "session:a/tab:1", "session:a/page:1", "session:a/tab:2"]
    ):
        put(store, number, "value", owner=owner)
    for owner in ("session:a/tab:1", "session:a/page:1", "session:a/tab:2"):
        store.leave(Owner(owner))
    clock.now += GRACE / 2
    store.touch(Owner("session:a/tab:2"))
    sweep(store)
    assert names(store) == [0, 1, 2, 3]
    clock.now += GRACE
    sweep(store)
    assert names(store) == [0, 3]
    clock.now += 10 * GRACE
    sweep(store)
    assert names(store) == [0, 3]


def test_the_session_that_was_here_longest_ago_makes_room_for_a_new_one(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock, max_sessions=3)
    for number in range(3):
        store.touch(Owner(f"session:{number}"))
        put(store, number, "value", owner=f"session:{number}")
        put(store, 10 + number, "value", owner=f"session:{number}/page:1")
        clock.now += 60
    store.touch(Owner("session:0"))
    clock.now += 60
    store.touch(Owner("session:3"))
    put(store, 3, "value", owner="session:3")
    put(store, 4, "value", owner="user:4")
    assert names(store) == [0, 2, 3, 4, 10, 12]


def test_thousands_of_sessions_stay_within_their_number(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock, max_sessions=50)
    for number in range(300):
        store.touch(Owner(f"session:{number}"))
        put(store, number, number, owner=f"session:{number}")
        clock.now += 5
        assert len(names(store)) <= 50
    assert names(store) == list(range(250, 300))


def test_sessions_that_were_seen_in_one_request_only_are_a_tenth_at_most_and_go_first(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock, max_sessions=20)
    for number in range(10):
        put(store, number, "came back", owner=f"session:{number}")
        clock.now += 10
        store.touch(Owner(f"session:{number}"))
    for number in range(100, 400):
        put(store, number, "did not", owner=f"session:{number}")
        must(store.handle.slots).use(
            owner_key(Owner(f"session:{number}"))[: 3 * KEY_SIZE], clock.now
        )  # by others, who share slots with it
        clock.now += 10
    assert names(store) == [*range(10), 398, 399]
    for number in range(10, 20):
        clock.now += 120
        store.touch(Owner(f"session:{number}"))
        put(store, number, "comes back", owner=f"session:{number}")
    assert names(store) == list(range(20)), "whoever comes back needs none of the others' room"


def test_a_lost_index_makes_no_session_one_that_was_seen_once(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock, max_sessions=20)
    for number in range(20):
        put(store, number, "value", owner=f"session:{number}")
        store.touch(Owner(f"session:{number}"))
    clock.now += 3600
    for path in folder.glob("index*"):
        path.unlink()
    put(store, 20, "value")
    assert names(store) == list(range(21))


def test_what_can_be_computed_again_goes_before_puts_and_puts_before_variables(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock, max_bytes=200_000)
    kinds = {1: "state", 2: "put", 3: "recipe"}
    for number, kind in kinds.items():
        put(store, number, np.zeros(2000), kind=kind, owner=f"session:{number}")
        clock.now += 10
        store.touch(Owner(f"session:{number}"))
    for number in range(100, 130):
        put(
            store,
            number,
            np.zeros(5000),
            kind="memo",
            owner="" if number % 2 else "session:of a greedy one",
        )
        clock.now += 10
    assert names(store) == [1, 2, 3, 127, 128, 129]
    store.touch(Owner("session:of a greedy one"))
    for number in range(200, 230):
        put(store, number, np.zeros(5000), kind="put", owner="session:of a greedy one")
        clock.now += 10
    assert names(store) == [1, 226, 227, 228, 229], (
        "the puts that were used longest ago went, no variable"
    )


def test_what_all_share_and_nobody_has_used_for_long_goes_like_what_can_be_computed_again(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    """Each start of an app may put something for everybody, which must not fill the store."""
    store = limited(folder, clock, max_entries=10)
    for number in range(10):
        put(store, number, "of a start", kind="put" if number % 2 else "recipe")
    put(store, 10, "value", kind="memo")
    assert names(store) == list(range(10)), "in use, they are worth more"
    clock.now += LIMITS.idle + 60
    store.read(key(5))
    for number in range(20, 24):
        put(store, number, "value", kind="memo")
        clock.now += 10
    assert {5, 20, 21, 22, 23} <= set(names(store))
    assert len(names(store)) == 10


def test_who_has_most_gives_when_only_variables_are_left(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock, max_bytes=200_000)
    honest = range(5)
    for number in honest:
        put(store, number, "a" * 3000, kind="state", owner=f"session:{number}")
        store.touch(Owner(f"session:{number}"))
    put(store, 5, "a" * 3000, kind="state")
    for number in range(100, 200):
        clock.now += 60
        owner = f"session:cookie {number % 5} of the same visitor"
        store.touch(Owner(owner))
        put(store, number, "a" * 10_000, kind="state", owner=owner)
    assert [number for number in names(store) if number < 5] == [*honest]
    assert sum(listed.size for listed in store.list()) <= 200_000


def test_sessions_survive_a_lost_index(folder: pathlib.Path, clock: ManualClock) -> None:
    store = limited(folder, clock, max_sessions=3)
    for number in range(3):
        put(store, number, "value", owner=f"session:{number}")
        store.touch(Owner(f"session:{number}"))
    for path in folder.glob("index*"):
        path.unlink()
    put(store, 3, "value", owner="session:3")
    assert len(names(store)) == 3
    store.end(Owner("session:3"))
    assert 3 not in names(store)


def test_an_end_is_not_evicted(folder: pathlib.Path, clock: ManualClock) -> None:
    store = limited(folder, clock, max_entries=5)
    store.end(Owner("session:a"))
    for number in range(20):
        put(store, number, number)
        clock.now += 10
    assert store.has_ended(Owner("session:a"))
    clock.now += 2 * LIMITS.idle
    sweep(store)
    assert not store.has_ended(Owner("session:a"))
    assert not list((folder / "entries").glob(f"*/{_ended_key(Owner('session:a')).hex()}"))


def test_who_logs_out_again_and_again_neither_fills_the_disk_nor_takes_the_room_of_others(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock, max_entries=5, max_sessions=2)
    put(store, 1, "of somebody else")
    store.end(Owner("cookie:a"))
    for number in range(50):
        store.end(Owner(f"session:{number}"))
        clock.now += 10
    assert names(store) == [1]
    assert [number for number in range(50) if store.has_ended(Owner(f"session:{number}"))] == list(
        range(31, 50)
    )
    assert store.has_ended(Owner("cookie:a")), "its session may go on"
    assert len(list((folder / "entries").glob("*/*"))) == 1 + 20


@pytest.mark.parametrize(
    "written",
    [
        "UPDATE entries SET key = 'text'",
        "UPDATE entries SET used = 'never'",
        "UPDATE entries SET size = 'large'",
        "UPDATE entries SET name = '{'",
        "UPDATE totals SET bytes = 'many'",
        "DELETE FROM totals",
        "INSERT INTO totals VALUES (0, 0, 0, 0, 0)",
        "DROP TABLE owners",
        "DROP TABLE totals; CREATE TABLE totals (bytes INTEGER); PRAGMA user_version = 1",
        "CREATE TRIGGER planted AFTER INSERT ON entries BEGIN DELETE FROM tags; END",
    ],
)
def test_an_index_that_others_wrote_to_or_of_another_version_is_made_anew(
    written: str, folder: pathlib.Path, clock: ManualClock
) -> None:
    running = limited(folder, clock, max_entries=5)
    put(running, 1, "value")
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite")) as index:
        index.executescript(written)
    for store, number in ((limited(folder, clock, max_entries=5), 2), (running, 3)):
        put(store, number, "value", owner="session:a")
        sweep(store)
        assert names(store) == [*range(1, number + 1)]
    for number in range(4, 10):
        put(running, number, "value")
        clock.now += 10
    assert len(names(running)) == 5


def test_storing_again_costs_its_room_once(folder: pathlib.Path, clock: ManualClock) -> None:
    store = limited(folder, clock, max_bytes=100_000)
    put(store, 1, "beside")
    for _ in range(20):
        put(store, 2, np.zeros(5000))
    assert names(store) == [1, 2]


def test_no_files_of_flights_are_left(stash: Stash, folder: pathlib.Path) -> None:
    memo = stash.memo(lambda n: n)
    for n in range(20):
        memo(n)
        stash.app.modify("n", lambda _: 1)
    assert os.listdir(folder / NAME / "flights") == os.listdir(folder / NAME / "temporary") == []


def test_entry_files_are_never_written_again(stash: Stash, folder: pathlib.Path) -> None:
    stash.put(np.zeros(10**5), share=True)
    stash.put("small", share=True)
    modes = {path.stat().st_mode & 0o777 for path in (folder / NAME / "entries").glob("*/*")}
    assert modes == {0o400}


def test_a_clock_that_is_set_back_makes_nothing_current_that_is_not(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    """What a process remembers is trusted for a second, not for the hour that the clock lost."""
    store, other = limited(folder, clock), limited(folder, clock)
    put(store, 1, "old")
    assert store.read(key(1)) is not None
    clock.now -= 3600
    for path in folder.glob("slots"):
        path.unlink()  # as if somebody had deleted the folder: there is no other sign of a change
    (folder / "entries" / key(1).hex()[:2] / key(1).hex()).unlink()
    clock.now += 30
    assert other.read(key(1)) is None
    assert store.read(key(1)) is None


def test_more_keys_than_are_kept_in_memory_work(folder: pathlib.Path, clock: ManualClock) -> None:
    store = limited(folder, clock)
    for number in range(700):
        put(store, number, number)
    assert [decode(must(store.read(key(number))).encoded) for number in range(0, 700, 7)] == list(
        range(0, 700, 7)
    )


def open_entries(folder: pathlib.Path) -> list[str]:
    """The entries that this process holds open, by name; those without one end in " (deleted)"."""
    found = [
        os.readlink(link)
        for link in pathlib.Path("/proc/self/fd").iterdir()
        if os.path.lexists(link)
    ]
    return sorted(path.rsplit("/", 1)[1] for path in found if path.startswith(f"{folder}/entries/"))


def test_a_big_value_that_is_read_often_is_kept_open_and_few_are(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock)
    for number in range(30):
        put(store, number, np.full(100_000, number))
    for _ in range(2):
        for number in range(30):
            assert decode(must(store.read(key(number))).encoded)[-1] == number
    assert len(open_entries(folder)) == 16


def test_a_big_value_that_is_gone_is_not_kept_open_for_long_though_nothing_is_read_any_more(
    folder: pathlib.Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(janitor, "SWEEP_EVERY", 0.05)
    mine, others = limited(folder, clock), limited(folder, clock)
    put(others, 1, np.zeros(100_000))
    put(others, 2, np.ones(100_000))
    assert mine.read(key(1)) is not None
    assert mine.read(key(2)) is not None
    others.delete(key(1))
    wait_until(
        lambda: open_entries(folder) == [key(2).hex()], "only what is still stored is kept open"
    )


def test_a_forked_child_keeps_open_nothing_that_its_parent_has_read(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock)
    put(store, 1, np.zeros(100_000))
    assert store.read(key(1)) is not None
    child = os.fork()
    if not child:
        os._exit(len(open_entries(folder)))
    assert os.waitpid(child, 0)[1] == 0
    assert open_entries(folder) == [key(1).hex()]


def test_a_big_value_kept_open_is_not_served_in_place_of_a_newer_one(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    mine, others = limited(folder, clock), limited(folder, clock)
    for number in range(5):
        put(others, 1, np.full(100_000, number))
        for _ in range(3):
            assert decode(must(mine.read(key(1))).encoded)[-1] == number


def test_nobody_else_gets_a_key_while_what_it_had_can_still_be_read(
    store: LocalStore,
    folder: pathlib.Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else two who pop a variable would both have it."""
    other = LocalStore(folder, SEALING_KEY, LIMITS, clock=clock)
    put(store, 1, "value")
    looked = []
    unlink = store.handle.unlink

    def look_and_unlink(key: bytes, slots: Slots) -> None:
        looked.append(other.join(key, wait=False))
        unlink(key, slots)

    def fly() -> LocalFlight | None:
        joined = store.join(key(1))
        return joined if isinstance(joined, LocalFlight) else None

    flight = wait_until(fly, "the janitor does not take it for an abandoned one")
    monkeypatch.setattr(store.handle, "unlink", look_and_unlink)
    assert store.delete(key(1), must(flight))
    must(flight).close()
    assert looked == [None]


def test_a_child_that_is_forked_while_a_lock_is_given_back_does_not_keep_it(
    tmp_path: pathlib.Path,
) -> None:
    is_over = threading.Event()

    def lock_again_and_again(number: int) -> None:
        while not is_over.is_set():
            with locked(tmp_path / str(number)):
                pass

    def open_locks() -> int:
        links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
        opened = [os.readlink(link) for link in links if os.path.lexists(link)]
        return sum(path.startswith(f"{tmp_path}/") for path in opened)

    lockers = [Caller(functools.partial(lock_again_and_again, number)) for number in range(3)]
    kept = 0
    for _ in range(150):  # without the hook, one child in ten keeps one
        child = os.fork()
        if not child:
            os._exit(open_locks())
        kept += os.waitpid(child, 0)[1]
    is_over.set()
    for locker in lockers:
        locker.result()
    assert kept == 0


def test_entries_are_deleted_and_swept_under_gevent(folder: pathlib.Path) -> None:
    printed = run_python(
        """
        from gevent import monkey
        monkey.patch_all()
        import sys
        from dash_stash import Stash
        stash = Stash(url=f"file://{sys.argv[1]}", secret="a secret for the tests only")
        stash.app["name"] = 1
        del stash.app["name"]
        while not stash._deployment.store.janitor.sweep():
            pass
        print("name" in stash.app)
        """,
        folder,
    )
    assert printed == "False"


def test_a_sweep_waits_for_nobody_and_leaves_what_somebody_is_writing(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock)
    put(store, 1, "expired", gone_at=clock.now + 1)
    clock.now += 2
    with locked(store.handle.commit_lock(key(1))):
        sweep(store)
        assert key(1) in store.handle.index().beginning_with(key(1)[0])
    sweep(store)
    assert key(1) not in store.handle.index().beginning_with(key(1)[0])


def test_what_has_expired_goes_though_it_was_used_since_it_was_listed(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock)
    put(store, 1, "expired", gone_at=clock.now + 1)
    clock.now += 2
    index, slots = store.handle.index(), store.handle.ready(clock.now)
    assert store.evictor.drop_all([(key(1), 0.0)], slots, index, clock.now)


def test_a_store_that_is_just_full_keeps_everything(
    folder: pathlib.Path, clock: ManualClock
) -> None:
    store = limited(folder, clock)
    put(store, 1, "value")
    put(store, 2, "value")
    full = limited(folder, clock, max_bytes=store.handle.index().totals().bytes, max_entries=2)
    full.evictor.evict(clock.now)
    assert names(store) == [1, 2]


def test_a_key_has_one_slot_of_uses_and_an_owner_has_four() -> None:
    owner = owner_key(Owner("session:ab"))
    assert (len(_use_slots(key(1))), len(_use_slots(owner))) == (1, 4)


def test_of_two_workers_that_make_the_table_of_slots_both_use_the_first_one(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    link, made = Temporary.link, []

    def late(temporary: Temporary, path: pathlib.Path) -> None:
        monkeypatch.setattr(Temporary, "link", link)
        made.append(Slots(path))
        link(temporary, path)

    monkeypatch.setattr(Temporary, "link", late)
    late_one = Slots(tmp_path / "slots")
    assert late_one.identity == made[0].identity


def test_a_tag_may_be_any_text(store: LocalStore) -> None:
    assert store.epochs(["\ud800"]) == store.epochs(["\ud800"])


def test_a_row_of_owners_that_was_not_written_by_us_is_refused(
    store: LocalStore, folder: pathlib.Path
) -> None:
    put(store, 1, "value", owner="session:ab")
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite")) as database:
        database.execute("UPDATE accounts SET used = 'text'")
        database.commit()
    with pytest.raises(UselessError):
        store.handle.index().idle_sessions(10)
