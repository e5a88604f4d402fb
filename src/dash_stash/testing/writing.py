"""What every store must do when a caller stores or deletes an entry."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest

from dash_stash.errors import BudgetExceeded, StoreUnavailable
from dash_stash.owner import Owner
from dash_stash.stores.base import Limits
from dash_stash.testing import broken
from dash_stash.testing.calls import (
    BIG,
    KEY,
    OTHER,
    fly,
    flying,
    get,
    numbered,
    put,
    two_sessions,
)
from dash_stash.testing.place import LIMITS, StoreUnderTest, fails_for


class Commit:
    """The cases of `Store.commit`."""

    @fails_for(broken.StoresNothing)
    def test_the_flight_is_held_so_the_value_is_stored(self, store: StoreUnderTest) -> None:
        worker = store.open()
        with flying(worker) as flight:
            assert put(worker, "value", flight=flight)
            flight.land()
        assert get(store.open()) == "value"
        assert KEY in store.stored()

    @fails_for(broken.StoresNothing)
    def test_no_flight_is_given_so_the_value_is_stored(self, store: StoreUnderTest) -> None:
        assert put(store.open(), "old")
        assert put(store.open(), "new")
        assert get(store.open()) == "new"

    @fails_for(broken.WithoutFences)
    def test_the_key_was_deleted_since_the_flight_began_so_nothing_is_stored(
        self, store: StoreUnderTest
    ) -> None:
        worker = store.open()
        with flying(worker) as late:
            store.open().delete(KEY)
            assert not put(worker, "old", flight=late)
        assert get(worker) is None
        assert KEY not in store.stored()

    @fails_for(broken.WithoutFences)
    def test_another_caller_computes_it_by_now_so_nothing_is_stored(
        self, store: StoreUnderTest
    ) -> None:
        worker, other = store.open(), store.open()
        with flying(worker) as late:
            other.delete(KEY)
            with flying(other) as winner:
                assert put(other, "new", flight=winner)
                assert not put(worker, "old", flight=late)
                late.land(b"late")
                assert store.open().join(KEY, wait=False) is None
        assert get(worker) == "new"

    @fails_for(broken.ForgetsEnds)
    def test_its_session_or_user_has_ended_so_nothing_is_stored(
        self, store: StoreUnderTest
    ) -> None:
        mine, theirs = two_sessions()
        worker, other = store.open(), store.open()
        with flying(worker) as slow:
            other.end(Owner(mine))
            assert not put(worker, "late", flight=slow, owner=mine)
            assert not put(worker, "late", OTHER, owner=f"{mine}/page:1")
        assert (get(worker), get(other, OTHER)) == (None, None)
        assert store.stored().isdisjoint([KEY, OTHER])
        assert put(worker, "theirs", owner=theirs)

    @fails_for(broken.ForgetsEnds)
    def test_its_session_or_user_has_ended_and_it_is_the_user(self, store: StoreUnderTest) -> None:
        worker = store.open()
        store.open().end(Owner("user:ab"))
        assert not put(worker, "late", owner="user:ab")
        assert get(worker) is None
        assert put(worker, "theirs", owner="user:ac")

    # The budget of one session or user

    @fails_for(broken.WithoutShares)
    def test_it_would_not_fit_even_so_tabs_and_pages_count_to_their_session(
        self, store: StoreUnderTest
    ) -> None:
        mine, theirs = two_sessions()
        worker = store.open(limits=_with_share(10_000))
        value = "x" * 6000
        put(worker, value, KEY, kind="state", owner=f"{mine}/page:1")
        for kind in ("state", "put", "recipe", "memo"):
            with pytest.raises(BudgetExceeded, match="max_session_bytes"):
                put(worker, value, OTHER, kind=kind, owner=mine)
            assert (get(worker), get(worker, OTHER)) == (value, None)
        assert put(worker, value, OTHER, kind="state", owner=theirs)
        assert put(worker, value[:-1], KEY, kind="state", owner=f"{mine}/page:1"), (
            "it takes the place of what was there"
        )

    @fails_for(broken.WithoutShares)
    def test_its_session_or_user_would_have_too_much_so_what_can_be_computed_again_goes(
        self, store: StoreUnderTest
    ) -> None:
        mine, _ = two_sessions()
        worker = store.open(limits=_with_share(10_000))
        value = "x" * 6000
        put(worker, value, KEY, kind="memo", owner=mine)
        assert put(worker, value, OTHER, kind="put", owner=mine)
        assert (get(worker), get(worker, OTHER)) == (None, value)

    @fails_for(broken.EvictsNoPuts, broken.EvictsVariables)
    def test_its_session_or_user_would_have_too_much_so_the_oldest_puts_go_and_no_variable(
        self, store: StoreUnderTest
    ) -> None:
        mine, _ = two_sessions()
        worker = store.open(limits=_with_share(10_000))
        variable, *puts, late = numbered(30)
        assert put(worker, "v" * 2000, variable, kind="state", owner=mine)
        for number, key in enumerate(puts):
            store.clock.now += 60
            owner = mine if number % 2 else f"{mine}/page:1"
            assert put(worker, "x" * 2000, key, kind="put", owner=owner)
            assert get(worker, key) is not None, "a put never ends a session"
        there = [key in store.stored() for key in (variable, *puts[-4:])]
        assert there == [True, False, True, True, True]
        assert put(worker, "v" * 5000, late, kind="state", owner=f"{mine}/tab:1")
        assert {variable, late} <= store.stored()
        assert sum(listed.size for listed in worker.list()) <= 10_000

    @fails_for(broken.EvictsVariables)
    def test_it_would_not_fit_even_so_nothing_goes(self, store: StoreUnderTest) -> None:
        mine, _ = two_sessions()
        worker = store.open(limits=_with_share(10_000))
        keys = dict(zip(("state", "put", "recipe", "memo"), numbered(4), strict=True))
        for kind, key in keys.items():
            put(worker, "x" * 2000, key, kind=kind, owner=mine)
        sizes = {"memo": 4000, "put": 8000, "recipe": 8000, "state": 8000}
        for kind, size in (*sizes.items(), ("put", 20_000)):
            with pytest.raises(BudgetExceeded):
                put(worker, "x" * size, OTHER, kind=kind, owner=mine)
            assert store.stored() >= set(keys.values())

    # No room

    @fails_for(broken.ClearsFirst)
    def test_the_value_is_larger_than_the_budget_so_nothing_has_changed(
        self, store: StoreUnderTest
    ) -> None:
        worker = store.open(limits=dataclasses.replace(LIMITS, max_bytes=50_000))
        put(worker, "old")
        put(worker, "beside", OTHER)
        with pytest.raises(StoreUnavailable, match="50,000"):
            put(worker, BIG)
        assert (get(worker), get(worker, OTHER)) == ("old", "beside")
        assert store.stored() & {KEY, OTHER} == {KEY, OTHER}

    @fails_for(broken.ClearsFirst, broken.StoresNothing)
    def test_the_store_is_full_so_nothing_has_changed(self, store: StoreUnderTest) -> None:
        worker = store.open()
        put(worker, "old")
        before = store.stored()
        with store.full():
            for kind in ("put", "state", "memo"):
                with pytest.raises(StoreUnavailable):
                    put(worker, BIG, kind=kind)
            assert get(worker) == "old", "what is there can be read"
        assert (get(store.open()), store.stored()) == ("old", before)
        assert put(worker, BIG), "there is room again"

    # Out of reach

    @fails_for(broken.StoresNothing)
    def test_the_store_is_out_of_reach_so_a_computed_value_is_kept_here_or_refused(
        self, store: StoreUnderTest
    ) -> None:
        worker = store.open()
        put(worker, "before", OTHER)
        store.cut_off()
        with contextlib.ExitStack() as held:
            flight = None
            with contextlib.suppress(StoreUnavailable):
                flight = held.enter_context(flying(worker))
            stored = None
            with contextlib.suppress(StoreUnavailable):
                stored = put(worker, "value", flight=flight)
            assert stored is None or (stored and get(worker) == "value")

    @fails_for(broken.SwallowsOutages)
    def test_the_store_is_out_of_reach_so_what_cannot_be_computed_again_is_refused(
        self, store: StoreUnderTest
    ) -> None:
        worker = store.open()
        put(worker, "before", OTHER)
        store.cut_off()
        for kind in ("put", "state", "recipe"):
            store.clock.now += 60
            with pytest.raises(StoreUnavailable):
                put(worker, "value", kind=kind)


class Delete:
    """The cases of `Store.delete`."""

    @fails_for(broken.DeletesForNow)
    def test_it_was_stored_so_it_is_deleted_for_good(self, store: StoreUnderTest) -> None:
        worker, other = store.open(), store.open()
        put(worker, "value")
        with flying(worker) as flight:
            assert other.delete(KEY)
            put(worker, "value", flight=flight)
            flight.land()
        assert get(worker) is None
        assert get(other) is None

    @fails_for(broken.StoresNothing, broken.DeletesOnlyWhatIsThere)
    def test_there_is_no_entry_so_that_is_fine(self, store: StoreUnderTest) -> None:
        worker = store.open()
        assert worker.delete(KEY)
        put(worker, "value")
        assert get(worker) == "value"

    @fails_for(broken.DeletesLate)
    def test_the_key_was_deleted_since_the_flight_began_so_nothing_has_changed(
        self, store: StoreUnderTest
    ) -> None:
        worker, other = store.open(), store.open()
        put(worker, "old")
        with flying(worker) as late:
            other.delete(KEY)
            put(other, "new")
            assert not worker.delete(KEY, late)
        assert get(worker) == "new"

    @fails_for(broken.DeletesLate)
    def test_another_caller_computes_it_by_now_so_nothing_has_changed(
        self, store: StoreUnderTest
    ) -> None:
        worker, other = store.open(), store.open()
        with flying(worker) as late:
            other.delete(KEY)
            with flying(other) as winner:
                assert put(other, "new", flight=winner)
                assert not worker.delete(KEY, late)
        assert get(worker) == "new"

    @fails_for(broken.DeletesNothing)
    def test_the_flight_is_held_so_it_is_deleted(self, store: StoreUnderTest) -> None:
        worker = store.open()
        put(worker, "value")
        flight = fly(worker)
        assert worker.delete(KEY, flight)
        flight.close()
        assert get(store.open()) is None


def _with_share(max_session_bytes: int) -> Limits:
    return dataclasses.replace(LIMITS, max_session_bytes=max_session_bytes)
