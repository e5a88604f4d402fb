"""What every store must do with the data of sessions, users, tabs and pages."""

from __future__ import annotations

import dataclasses

from dash_stash.owner import Owner
from dash_stash.testing import broken
from dash_stash.testing.calls import KEY, OTHER, get, numbered, put, two_sessions
from dash_stash.testing.place import LIMITS, StoreUnderTest, fails_for

_SOON = 60.0


class End:
    """The cases of `Store.end`."""

    @fails_for(broken.EndsOneScope)
    def test_it_has_data_so_that_is_deleted_tabs_and_pages_included(
        self, store: StoreUnderTest
    ) -> None:
        mine, theirs = two_sessions()
        worker, other = store.open(), store.open()
        keys = numbered(6)
        own, others = (mine, f"{mine}/page:1", f"{mine}/tab:2"), (theirs, f"{theirs}/page:1", "")
        for key, owner in zip(keys, (*own, *others), strict=True):
            put(worker, "value", key, owner=owner)
        other.end(Owner(mine))
        assert [get(worker, key) for key in keys] == [None, None, None, "value", "value", "value"]
        assert store.stored().isdisjoint(keys[:3])

    @fails_for(broken.EndsOneScope)
    def test_it_is_a_user_so_what_the_user_has_is_deleted(self, store: StoreUnderTest) -> None:
        mine, _ = two_sessions()
        worker = store.open()
        put(worker, "theirs", KEY, kind="state", owner="user:ab")
        put(worker, "mine", OTHER, kind="state", owner=mine)
        store.open().end(Owner("user:ab"))
        assert (get(worker), get(worker, OTHER)) == (None, "mine")
        assert worker.has_ended(Owner("user:ab"))

    @fails_for(broken.EndsOnlySessions)
    def test_it_is_a_cookie_so_it_alone_has_ended(self, store: StoreUnderTest) -> None:
        mine, _ = two_sessions()
        worker, cookie = store.open(), "cookie:ab"
        put(worker, "value", kind="state", owner=mine)
        store.open().end(Owner(cookie))
        assert worker.has_ended(Owner(cookie))
        assert not worker.has_ended(Owner(mine))
        assert not worker.has_ended(Owner("cookie:ac"))
        assert get(worker) == "value"
        assert put(worker, "more", OTHER, owner=mine)


class HasEnded:
    """The cases of `Store.has_ended`."""

    @fails_for(broken.ForgetsEnds)
    def test_it_has_ended_so_all_know_that_for_longer_than_unused_data_is_kept(
        self, store: StoreUnderTest
    ) -> None:
        mine, theirs = two_sessions()
        worker, other = store.open(), store.open()
        assert not worker.has_ended(Owner(mine))
        other.end(Owner(mine))
        store.pass_time(LIMITS.ended - 1)
        assert LIMITS.ended > LIMITS.accepted > LIMITS.idle
        assert (worker.has_ended(Owner(mine)), other.has_ended(Owner(mine))) == (True, True)
        assert not worker.has_ended(Owner(theirs))

    @fails_for(broken.EndsEverybody)
    def test_it_has_not_so_no(self, store: StoreUnderTest) -> None:
        mine, theirs = two_sessions()
        store.open().end(Owner(mine))
        assert not store.open().has_ended(Owner(theirs))
        assert not store.open().has_ended(Owner(f"{theirs}/tab:1"))


class Touch:
    """The cases of `Store.touch`."""

    @fails_for(broken.NotesNoUse)
    def test_the_owner_is_in_use_so_its_data_stays(self, store: StoreUnderTest) -> None:
        mine, _ = two_sessions()
        worker = store.open()
        put(worker, "value", kind="state", owner=mine)
        for _ in range(4):
            store.open().touch(Owner(mine))
            store.pass_time(0.9 * LIMITS.idle)
        assert KEY in store.stored()
        assert get(worker) == "value"

    @fails_for(broken.KeepsForEver)
    def test_nobody_uses_the_owner_so_its_data_goes_by_itself(self, store: StoreUnderTest) -> None:
        mine, theirs = two_sessions()
        worker = store.open()
        put(worker, "value", KEY, kind="state", owner=mine)
        put(worker, "value", OTHER, kind="state", owner=f"{theirs}/tab:1")
        store.pass_time(2 * LIMITS.idle)
        assert store.stored().isdisjoint([KEY, OTHER])
        assert (get(worker), get(worker, OTHER)) == (None, None)

    @fails_for(broken.KeepsForEver)
    def test_only_another_owner_is_in_use_so_that_keeps_nothing_here(
        self, store: StoreUnderTest
    ) -> None:
        mine, theirs = two_sessions()
        worker = store.open()
        put(worker, "value", kind="state", owner=mine)
        for _ in range(2):
            worker.touch(Owner(theirs))
            store.pass_time(0.9 * LIMITS.idle)
        assert KEY not in store.stored()

    @fails_for(broken.NotesNoUse)
    def test_it_was_seen_in_only_one_request_so_it_goes_before_those_who_came_back(
        self, store: StoreUnderTest
    ) -> None:
        limits = dataclasses.replace(LIMITS, max_sessions=20)
        worker, keys = store.open(limits=limits), numbered(60)
        for number, key in enumerate(keys[:10]):
            worker.touch(Owner(f"session:{number}"))
            put(worker, "came back", key, kind="state", owner=f"session:{number}")
            store.clock.now += 120
        for number, key in enumerate(keys[10:]):
            put(worker, "did not", key, kind="state", owner=f"session:a{number}")
            store.clock.now += 10
        stored = store.stored()
        assert stored >= set(keys[:10])
        assert len(stored - set(keys[:10])) <= limits.max_new_sessions

    @fails_for(broken.StoresUses)
    def test_it_has_no_data_so_nothing_is_stored_for_it(self, store: StoreUnderTest) -> None:
        mine, _ = two_sessions()
        worker = store.open()
        put(worker, "value")
        before = store.stored()
        for owner in (mine, f"{mine}/tab:1", f"{mine}/page:1"):
            worker.touch(Owner(owner))
        assert store.stored() == before
        assert len(worker.list()) == 1


class Leave:
    """The cases of `Store.leave`."""

    @fails_for(broken.IgnoresLeaving)
    def test_nobody_uses_it_again_so_its_data_goes_soon(self, store: StoreUnderTest) -> None:
        mine, _ = two_sessions()
        worker = store.open()
        put(worker, "value", kind="state", owner=f"{mine}/tab:1")
        store.open().leave(Owner(f"{mine}/tab:1"))
        store.pass_time(_SOON)
        assert KEY not in store.stored()
        assert get(worker) is None

    @fails_for(broken.LeavesAtOnce)
    def test_it_is_used_again_at_once_so_its_data_stays(self, store: StoreUnderTest) -> None:
        mine, _ = two_sessions()
        worker, other = store.open(), store.open()
        put(worker, "value", kind="state", owner=f"{mine}/tab:1")
        worker.leave(Owner(f"{mine}/tab:1"))
        store.clock.now += 5
        other.touch(Owner(f"{mine}/tab:1"))
        store.pass_time(_SOON)
        store.pass_time(_SOON)
        assert get(worker) == "value"

    @fails_for(broken.LeavesWithAll)
    def test_its_session_goes_on_so_that_has_its_data_still(self, store: StoreUnderTest) -> None:
        mine, _ = two_sessions()
        worker = store.open()
        tab, session, other_tab = numbered(3)
        owners = {tab: f"{mine}/tab:1", session: mine, other_tab: f"{mine}/tab:2"}
        for key, owner in owners.items():
            put(worker, "value", key, kind="state", owner=owner)
        worker.leave(Owner(f"{mine}/tab:1"))
        store.pass_time(_SOON)
        assert store.stored() & {*owners} == {session, other_tab}
