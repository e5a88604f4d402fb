"""What every store must do, case by case as `stores/base.py` lists them.

And stores that do not, which must be noticed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import pathlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from dash_stash import BudgetExceeded, StashError, StoreUnavailable
from dash_stash.codec import decode, encode
from dash_stash.entries import Facts
from dash_stash.stores.base import UNKNOWN_EPOCH, Flight, Landed, Store
from support import LIMITS, FakeClock, must
from unit import broken
from unit.broken import BrokenLaboratory, Sound
from unit.laboratory import LABORATORIES, Laboratory
from unit.visiting import Caller

KEY, OTHER = b"a key of 16 byte", b"another, 16 byte"
PATIENCE = 0.3


@pytest.fixture(params=list(LABORATORIES))
def laboratory(
    request: pytest.FixtureRequest, folder: pathlib.Path, clock: FakeClock
) -> Iterator[Laboratory]:
    laboratory = LABORATORIES[request.param](folder, clock)
    yield laboratory
    laboratory.close()


def put(
    store: Store, value: object, key: bytes = KEY, flight: Flight | None = None, **facts: Any
) -> bool:
    return store.commit(
        flight,
        key,
        Facts(**{"kind": "memo", "name": "f", "created": 1_800_000_000.0, **facts}),
        encode(value),
    )


def get(store: Store, key: bytes = KEY) -> Any:
    """The value, None for a miss."""
    found = store.read(key)
    return None if found is None else decode(found.encoded)


def fly(store: Store, key: bytes = KEY) -> Flight:
    flight = store.join(key, wait=False)
    assert flight is not None
    assert not isinstance(flight, Landed)
    return flight


@contextlib.contextmanager
def flying(store: Store, key: bytes = KEY) -> Iterator[Flight]:
    flight = fly(store, key)
    try:
        yield flight
    finally:
        flight.close()


BIG = np.arange(50_000)

# read


def test_it_was_stored_so_every_worker_reads_it_whole(laboratory: Laboratory) -> None:
    writer, reader = laboratory.open(), laboratory.open()
    for value in ("small", {"a": BIG, "b": [1]}, None):
        put(writer, value)
        for store in (writer, reader, laboratory.open()):
            assert repr(get(store)) == repr(value)
            assert must(store.read(KEY)).entry.facts.name == "f"


def test_it_was_stored_so_it_is_read_in_memory_that_nobody_else_sees(
    laboratory: Laboratory,
) -> None:
    store = laboratory.open()
    for value in (np.arange(1000), BIG):
        put(store, value)
        for reader in (store, store, laboratory.open()):
            loaded = get(reader)
            assert (loaded == value).all()
            loaded[:] = -1


def test_it_is_damaged_so_it_is_a_miss(laboratory: Laboratory) -> None:
    for value in ("small", BIG):
        put(laboratory.open(), value)
        reader = laboratory.open()
        assert get(reader) is not None
        laboratory.damage(KEY)
        laboratory.clock.now += 60
        assert get(reader) is None
        assert get(laboratory.open()) is None


def test_it_was_sealed_with_another_secret_so_it_is_a_miss(laboratory: Laboratory) -> None:
    stranger = laboratory.open(sealing_key=b"the sealing key of somebody else")
    put(stranger, "theirs")
    assert get(stranger) == "theirs"
    assert get(laboratory.open()) is None


def test_it_is_the_entry_of_another_key_so_it_is_a_miss(laboratory: Laboratory) -> None:
    put(laboratory.open(), "mine")
    put(laboratory.open(), "before", OTHER)
    reader = laboratory.open()
    assert get(reader, OTHER) == "before"
    laboratory.lay(KEY, in_place_of=OTHER)
    laboratory.clock.now += 60
    assert get(reader, OTHER) is None
    assert get(laboratory.open(), OTHER) is None


def test_it_is_gone_by_its_own_time(laboratory: Laboratory) -> None:
    store, now = laboratory.open(), laboratory.clock.now
    put(store, "value", gone_at=now + 10)
    laboratory.clock.now = now + 9.9
    assert get(store) == "value"
    laboratory.clock.now = now + 10
    assert get(store) is None
    assert get(laboratory.open()) is None


def test_its_key_was_deleted(laboratory: Laboratory) -> None:
    writer, reader = laboratory.open(), laboratory.open()
    put(writer, "value")
    assert get(reader) == "value"
    writer.delete(KEY)
    assert get(reader) is None
    assert KEY not in laboratory.stored()


def test_one_of_its_tags_was_forgotten(laboratory: Laboratory) -> None:
    writer, reader = laboratory.open(), laboratory.open()
    put(writer, "value", tags=writer.epochs(["a", "b"]))
    assert get(reader) == "value"
    writer.forget_tag("b")
    assert get(reader) is None
    assert get(laboratory.open()) is None


# join


def test_nobody_computes_it_so_there_is_a_flight(laboratory: Laboratory) -> None:
    for _ in range(2):
        with flying(laboratory.open()), flying(laboratory.open(), OTHER):
            pass


def test_somebody_computes_it_so_it_is_told_how_that_ended(laboratory: Laboratory) -> None:
    with flying(laboratory.open()) as flight:
        waiting = Caller(lambda: laboratory.open().join(KEY))
        waiting.join(PATIENCE)
        assert waiting.is_alive(), "has not waited"
        flight.land(b"an outcome")
    assert waiting.result() == Landed(b"an outcome")


def test_somebody_computes_it_so_there_is_nothing_at_once_without_wait(
    laboratory: Laboratory,
) -> None:
    with flying(laboratory.open()) as flight:
        asking = Caller(lambda: laboratory.open().join(KEY, wait=False))
        asking.join(4 * PATIENCE)
        came_back = not asking.is_alive()
        flight.land()
    result = asking.result()
    assert came_back
    assert result is None


def test_somebody_computes_it_so_no_other_does(laboratory: Laboratory) -> None:
    with flying(laboratory.open()):
        assert laboratory.open().join(KEY, wait=False) is None


def test_the_one_who_computed_it_died_so_another_does(laboratory: Laboratory) -> None:
    child = os.fork()
    if not child:
        laboratory.open().join(KEY)
        os._exit(0)
    os.waitpid(child, 0)
    joined = Caller(lambda: laboratory.open().join(KEY)).result()
    if joined == Landed(None):
        joined = laboratory.open().join(KEY, wait=False)
    must(joined).close()


def test_the_one_who_computed_it_gave_up_so_another_does(laboratory: Laboratory) -> None:
    flight = fly(laboratory.open())
    waiting = Caller(lambda: laboratory.open().join(KEY))
    waiting.join(PATIENCE)
    flight.close()
    joined = waiting.result()
    assert not isinstance(joined, Landed)
    must(joined).close()


# commit


def test_the_flight_is_held_so_the_value_is_stored(laboratory: Laboratory) -> None:
    store = laboratory.open()
    with flying(store) as flight:
        assert put(store, "value", flight=flight)
        flight.land()
    assert get(laboratory.open()) == "value"
    assert KEY in laboratory.stored()


def test_no_flight_is_needed_to_store(laboratory: Laboratory) -> None:
    assert put(laboratory.open(), "old")
    assert put(laboratory.open(), "new")
    assert get(laboratory.open()) == "new"


def test_the_key_was_deleted_since_the_flight_began_so_nothing_is_stored(
    laboratory: Laboratory,
) -> None:
    store = laboratory.open()
    with flying(store) as late:
        laboratory.open().delete(KEY)
        assert not put(store, "old", flight=late)
    assert get(store) is None
    assert KEY not in laboratory.stored()


def test_a_late_flight_changes_nothing_of_what_came_after_it(laboratory: Laboratory) -> None:
    store, other = laboratory.open(), laboratory.open()
    with flying(store) as late:
        other.delete(KEY)
        with flying(other) as winner:
            assert put(other, "new", flight=winner)
            assert not put(store, "old", flight=late)
            late.land(b"late")
            assert laboratory.open().join(KEY, wait=False) is None
    assert get(store) == "new"


def test_the_value_is_larger_than_the_budget_so_nothing_has_changed(laboratory: Laboratory) -> None:
    store = laboratory.open(limits=dataclasses.replace(LIMITS, max_bytes=50_000))
    put(store, "old")
    put(store, "beside", OTHER)
    with pytest.raises(StoreUnavailable, match="50,000"):
        put(store, BIG)
    assert (get(store), get(store, OTHER)) == ("old", "beside")
    assert laboratory.stored() & {KEY, OTHER} == {KEY, OTHER}


# delete


def test_deleting_is_for_good(laboratory: Laboratory) -> None:
    store, other = laboratory.open(), laboratory.open()
    put(store, "value")
    with flying(store) as flight:
        other.delete(KEY)
        put(store, "value", flight=flight)
        flight.land()
    assert get(store) is None
    assert get(other) is None


def test_deleting_what_is_not_there_is_fine(laboratory: Laboratory) -> None:
    store = laboratory.open()
    store.delete(KEY)
    put(store, "value")
    assert get(store) == "value"


def test_a_late_flight_deletes_nothing_of_what_came_after_it(laboratory: Laboratory) -> None:
    store, other = laboratory.open(), laboratory.open()
    put(store, "old")
    with flying(store) as late:
        other.delete(KEY)
        put(other, "new")
        assert not store.delete(KEY, late)
    assert get(store) == "new"
    with flying(store) as flight:
        assert store.delete(KEY, flight)
    assert get(other) is None


# epochs


def test_an_epoch_lasts_until_its_tag_is_forgotten(laboratory: Laboratory) -> None:
    store, other = laboratory.open(), laboratory.open()
    before = store.epochs(["a", "b"])
    assert before == other.epochs(["a", "b"])
    assert set(before) == {"a", "b"}
    other.forget_tag("a")
    after = store.epochs(["a", "b"])
    assert (after["a"] != before["a"], after["b"]) == (True, before["b"])
    assert store.epochs([]) == {}


# forget_tag


def test_forgetting_reaches_what_is_being_computed(laboratory: Laboratory) -> None:
    store, other = laboratory.open(), laboratory.open()
    with flying(store) as flight:
        tags = store.epochs(["t"])
        other.forget_tag("t")
        put(store, "old", flight=flight, tags=tags)
        flight.land()
    assert get(store) is None
    assert get(other) is None


def test_forgetting_leaves_all_others(laboratory: Laboratory) -> None:
    store = laboratory.open()
    put(store, "tagged", tags=store.epochs(["t"]))
    put(store, "untagged", OTHER, tags=store.epochs(["u"]))
    store.forget_tag("t")
    assert (get(store), get(store, OTHER)) == (None, "untagged")
    assert laboratory.stored() & {KEY, OTHER} == {OTHER}


def test_what_is_stored_after_forgetting_stays(laboratory: Laboratory) -> None:
    store = laboratory.open()
    store.forget_tag("t")
    put(store, "new", tags=store.epochs(["t"]))
    assert get(store) == "new"


# list


def test_everything_that_is_stored_is_listed(laboratory: Laboratory) -> None:
    store = laboratory.open()
    put(store, "value", name="first", scope="session:ab")
    put(store, BIG, OTHER, kind="put", name="second")
    listed = laboratory.open().list()
    assert len(listed) == 2
    first, second = sorted(listed, key=lambda one: one.name)
    assert (first.key, first.kind, first.name, first.scope) == (KEY, "memo", "first", "session:ab")
    assert (second.key, second.kind, second.name, second.scope) == (OTHER, "put", "second", "")
    assert second.size > BIG.nbytes > first.size > 0
    store.delete(KEY)
    assert [one.key for one in store.list()] == [OTHER]


def test_a_part_of_what_is_stored_is_listed(laboratory: Laboratory) -> None:
    store = laboratory.open()
    put(store, 1, KEY, scope="session:ab", kind="state", tags=store.epochs(["t"]))
    put(store, 2, OTHER, scope="", kind="memo", tags=store.epochs(["u"]))
    asked: dict[str, Any]
    for asked in (
        {"scope": "session:ab"},
        {"kind": "state"},
        {"tag": "t"},
        {"scope": "session:ab", "kind": "state", "tag": "t"},
    ):
        assert [listed.key for listed in store.list(**asked)] == [KEY]
    for asked in ({"scope": ""}, {"kind": "memo"}, {"tag": "u"}):
        assert [listed.key for listed in store.list(**asked)] == [OTHER]
    assert list(store.list(scope="session:ab", kind="memo")) == []


def test_a_read_needs_no_listing(laboratory: Laboratory) -> None:
    put(laboratory.open(), "value")
    laboratory.lose_listing()
    assert get(laboratory.open()) == "value"


# end and has_ended


def two_sessions() -> tuple[str, str]:
    """Two that sort next to each other."""
    start = secrets.token_hex(15)
    return f"session:{start}aa", f"session:{start}ab"


def test_all_that_belongs_to_who_has_ended_is_deleted(laboratory: Laboratory) -> None:
    mine, theirs = two_sessions()
    store, other = laboratory.open(), laboratory.open()
    keys = [bytes([number]) * 16 for number in range(6)]
    for key, scope in zip(
        keys, (mine, f"{mine}/page:1", f"{mine}/tab:2", theirs, f"{theirs}/page:1", ""), strict=True
    ):
        put(store, "value", key, scope=scope)
    other.end(mine)
    assert [get(store, key) for key in keys] == [None, None, None, "value", "value", "value"]
    assert laboratory.stored().isdisjoint(keys[:3])


def test_what_a_slow_computation_of_who_has_ended_stores_is_not_stored(
    laboratory: Laboratory,
) -> None:
    mine, theirs = two_sessions()
    store, other = laboratory.open(), laboratory.open()
    with flying(store) as slow:
        other.end(mine)
        assert not put(store, "late", flight=slow, scope=mine)
        assert not put(store, "late", OTHER, scope=f"{mine}/page:1")
    assert (get(store), get(other, OTHER)) == (None, None)
    assert laboratory.stored().isdisjoint([KEY, OTHER])
    assert put(store, "theirs", scope=theirs)


def test_an_end_is_known_to_all_for_longer_than_unused_data_is_kept(laboratory: Laboratory) -> None:
    mine, theirs = two_sessions()
    store, other = laboratory.open(), laboratory.open()
    assert not store.has_ended(mine)
    other.end(mine)
    laboratory.clock.now += LIMITS.idle + 60
    assert (store.has_ended(mine), other.has_ended(mine), store.has_ended(theirs)) == (
        True,
        True,
        False,
    )


# The budget of one session


def test_a_session_has_a_budget_of_its_own_tabs_and_pages_included(laboratory: Laboratory) -> None:
    mine, theirs = two_sessions()
    store = laboratory.open(limits=dataclasses.replace(LIMITS, max_session_bytes=10_000))
    value = "x" * 6000
    put(store, value, KEY, kind="state", scope=f"{mine}/page:1")
    for kind in ("state", "put", "recipe", "memo"):
        error = Caller(functools.partial(put, store, value, OTHER, kind=kind, scope=mine)).error
        assert isinstance(error, BudgetExceeded)
        assert "max_session_bytes" in str(error)
        assert (get(store), get(store, OTHER)) == (value, None)
    assert put(store, value, OTHER, kind="state", scope=theirs)
    assert put(store, value[:-1], KEY, kind="state", scope=f"{mine}/page:1"), (
        "it takes the place of what was there"
    )


def test_what_a_session_can_compute_again_makes_room_for_what_it_cannot(
    laboratory: Laboratory,
) -> None:
    mine, _ = two_sessions()
    store = laboratory.open(limits=dataclasses.replace(LIMITS, max_session_bytes=10_000))
    value = "x" * 6000
    put(store, value, KEY, kind="memo", scope=mine)
    assert put(store, value, OTHER, kind="put", scope=mine)
    assert (get(store), get(store, OTHER)) == (None, value)


def numbered(count: int) -> list[bytes]:
    return [bytes([number]) * 16 for number in range(1, count + 1)]


def test_the_oldest_puts_of_a_session_make_room_for_new_ones_and_for_variables(
    laboratory: Laboratory,
) -> None:
    mine, _ = two_sessions()
    store = laboratory.open(limits=dataclasses.replace(LIMITS, max_session_bytes=10_000))
    variable, *puts, late = numbered(30)
    assert put(store, "v" * 2000, variable, kind="state", scope=mine)
    for number, key in enumerate(puts):
        laboratory.clock.now += 60
        assert put(
            store, "x" * 2000, key, kind="put", scope=mine if number % 2 else f"{mine}/page:1"
        )
        assert get(store, key) is not None, "a put never ends a session"
    assert [key in laboratory.stored() for key in (variable, *puts[-4:])] == [
        True,
        False,
        True,
        True,
        True,
    ]
    assert put(store, "v" * 5000, late, kind="state", scope=f"{mine}/tab:1")
    assert {variable, late} <= laboratory.stored()
    assert sum(listed.size for listed in store.list()) <= 10_000


def test_nothing_goes_for_what_would_not_fit_even_so_or_is_worth_less(
    laboratory: Laboratory,
) -> None:
    mine, _ = two_sessions()
    store = laboratory.open(limits=dataclasses.replace(LIMITS, max_session_bytes=10_000))
    keys = dict(zip(("state", "put", "recipe", "memo"), numbered(4), strict=True))
    for kind, key in keys.items():
        put(store, "x" * 2000, key, kind=kind, scope=mine)
    for kind, size in (
        ("memo", 4000),
        ("put", 8000),
        ("recipe", 8000),
        ("state", 8000),
        ("put", 20_000),
    ):
        assert isinstance(
            Caller(functools.partial(put, store, "x" * size, OTHER, kind=kind, scope=mine)).error,
            BudgetExceeded,
        )
        assert laboratory.stored() >= set(keys.values())


# All methods


def test_only_join_waits_for_another_caller(laboratory: Laboratory) -> None:
    flight = fly(laboratory.open())
    store = laboratory.open()

    def everything() -> None:
        put(store, "value", tags=store.epochs(["t"]))
        store.read(KEY)
        store.list()
        store.forget_tag("t")
        store.delete(KEY)

    calling = Caller(everything)
    calling.join(4 * PATIENCE)
    came_back = not calling.is_alive()
    flight.close()
    calling.result()
    assert came_back


_METHODS: dict[str, Callable[[Store], object]] = {
    "read": lambda store: store.read(KEY),
    "join": lambda store: store.join(KEY, wait=False),
    "commit": lambda store: put(store, "value"),
    "delete": lambda store: store.delete(KEY),
    "epochs": lambda store: store.epochs(["t"]),
    "forget_tag": lambda store: store.forget_tag("t"),
    "list": lambda store: store.list(),
    "end": lambda store: store.end("session:a"),
    "has_ended": lambda store: store.has_ended("session:a"),
    "touch": lambda store: store.touch("session:a"),
    "leave": lambda store: store.leave("session:a"),
}


def test_all_methods_raise_store_unavailable_and_only_that(laboratory: Laboratory) -> None:
    used, new = laboratory.open(), laboratory.open()
    put(used, "value")
    laboratory.ruin()
    for store in (used, new):
        for name, method in _METHODS.items():
            laboratory.clock.now += 60
            error = Caller(functools.partial(method, store)).error
            if error is None and name == "epochs":
                assert store.epochs(["t"]) == {"t": UNKNOWN_EPOCH}, (
                    "so that a machine can compute for all of it"
                )
                continue
            assert type(error) is StoreUnavailable, f"{name} raised {error!r}"
            assert error.where


# The proof that each of these can fail


_NOTICED: list[tuple[Callable[[Laboratory], None], type[Sound]]] = [
    (test_it_was_stored_so_every_worker_reads_it_whole, broken.OfOne),
    (test_it_was_stored_so_it_is_read_in_memory_that_nobody_else_sees, broken.Lends),
    (test_it_is_damaged_so_it_is_a_miss, broken.Trusts),
    (test_it_was_sealed_with_another_secret_so_it_is_a_miss, broken.Trusts),
    (test_it_is_the_entry_of_another_key_so_it_is_a_miss, broken.Trusts),
    (test_it_is_gone_by_its_own_time, broken.TrustsTime),
    (test_its_key_was_deleted, broken.Trusts),
    (test_one_of_its_tags_was_forgotten, broken.TrustsTags),
    (test_nobody_computes_it_so_there_is_a_flight, broken.Grounded),
    (test_somebody_computes_it_so_it_is_told_how_that_ended, broken.Impatient),
    (test_somebody_computes_it_so_it_is_told_how_that_ended, broken.Silent),
    (test_somebody_computes_it_so_there_is_nothing_at_once_without_wait, broken.Stubborn),
    (test_somebody_computes_it_so_no_other_does, broken.Crowded),
    (test_the_one_who_computed_it_died_so_another_does, broken.LocksAsData),
    (test_the_one_who_computed_it_gave_up_so_another_does, broken.Grounded),
    (test_the_flight_is_held_so_the_value_is_stored, broken.Loses),
    (test_no_flight_is_needed_to_store, broken.Loses),
    (test_the_key_was_deleted_since_the_flight_began_so_nothing_is_stored, broken.WithoutFences),
    (test_a_late_flight_changes_nothing_of_what_came_after_it, broken.WithoutFences),
    (test_the_value_is_larger_than_the_budget_so_nothing_has_changed, broken.ClearsFirst),
    (test_deleting_is_for_good, broken.DeletesForNow),
    (test_all_that_belongs_to_who_has_ended_is_deleted, broken.EndsOneScope),
    (test_what_a_slow_computation_of_who_has_ended_stores_is_not_stored, broken.EndsForNow),
    (test_an_end_is_known_to_all_for_longer_than_unused_data_is_kept, broken.EndsForNow),
    (test_a_session_has_a_budget_of_its_own_tabs_and_pages_included, broken.WithoutShares),
    (test_what_a_session_can_compute_again_makes_room_for_what_it_cannot, broken.WithoutShares),
    (
        test_the_oldest_puts_of_a_session_make_room_for_new_ones_and_for_variables,
        broken.TakesAllForVariables,
    ),
    (
        test_the_oldest_puts_of_a_session_make_room_for_new_ones_and_for_variables,
        broken.TakesAllForValues,
    ),
    (test_nothing_goes_for_what_would_not_fit_even_so_or_is_worth_less, broken.TakesAllForValues),
    (test_deleting_what_is_not_there_is_fine, broken.Loses),
    (test_a_late_flight_deletes_nothing_of_what_came_after_it, broken.DeletesLate),
    (test_an_epoch_lasts_until_its_tag_is_forgotten, broken.Timeless),
    (test_forgetting_reaches_what_is_being_computed, broken.ForgetsWhatIsListed),
    (test_forgetting_leaves_all_others, broken.ForgetsAll),
    (test_what_is_stored_after_forgetting_stays, broken.Timeless),
    (test_everything_that_is_stored_is_listed, broken.Blind),
    (test_a_part_of_what_is_stored_is_listed, broken.Indiscreet),
    (test_a_read_needs_no_listing, broken.ReadsByListing),
    (test_only_join_waits_for_another_caller, broken.OneAtATime),
    (test_all_methods_raise_store_unavailable_and_only_that, broken.Frank),
    (test_its_key_was_deleted, broken.Hoards),
]


@pytest.mark.parametrize(
    ("case", "kind"), _NOTICED, ids=lambda one: one.__name__.removeprefix("test_")
)
def test_the_contract_notices_a_store_that(
    case: Callable[[Laboratory], None],
    kind: type[Sound],
    laboratory: Laboratory,
    tmp_path: pathlib.Path,
) -> None:
    place = tmp_path / "shared"
    place.mkdir()
    with pytest.raises((AssertionError, StashError)):
        case(BrokenLaboratory(laboratory, kind, place))


def test_a_store_that_is_only_wrapped_keeps_the_contract(
    laboratory: Laboratory, tmp_path: pathlib.Path
) -> None:
    """Otherwise the wrapping would be what is noticed."""
    for case, _ in _NOTICED:
        if (
            case is not test_all_methods_raise_store_unavailable_and_only_that
        ):  # leaves nothing behind
            case(BrokenLaboratory(laboratory, Sound, tmp_path))
            store = laboratory.open()
            for listed in store.list():
                store.delete(listed.key)


def test_every_case_has_a_store_that_breaks_it() -> None:
    cases = {
        value
        for name, value in globals().items()
        if name.startswith("test_") and "laboratory" in value.__annotations__
    }
    proofs = {
        test_the_contract_notices_a_store_that,
        test_a_store_that_is_only_wrapped_keeps_the_contract,
    }
    assert cases - proofs == {case for case, _ in _NOTICED}
