"""What every store must do when a caller reads or lists entries."""

from __future__ import annotations

import numpy as np

from dash_stash.codec import decode
from dash_stash.entries import Kind
from dash_stash.owner import APP, Owner
from dash_stash.testing import broken
from dash_stash.testing.calls import BIG, KEY, OTHER, Child, get, must, put
from dash_stash.testing.place import StoreUnderTest, fails_for


class Read:
    """The cases of `Store.read`."""

    @fails_for(broken.OfOneWorker)
    def test_it_was_stored_so_every_worker_reads_it_whole(self, store: StoreUnderTest) -> None:
        writer, reader = store.open(), store.open()
        for value in ("small", {"a": BIG, "b": [1]}, None):
            put(writer, value)
            for worker in (writer, reader, store.open()):
                assert repr(get(worker)) == repr(value)
                assert must(worker.read(KEY)).entry.facts.name == "f"

    @fails_for(broken.OfOneProcess)
    def test_it_was_stored_so_other_processes_read_it(self, store: StoreUnderTest) -> None:
        put(store.open(), "here")
        with Child(lambda: get(store.open()) == "here" and put(store.open(), "there", OTHER)) as it:
            assert it.succeeded
        assert get(store.open(), OTHER) == "there", "another process has stored it"

    @fails_for(broken.LendsMemory)
    def test_it_was_stored_so_it_is_read_in_memory_that_nobody_else_sees(
        self, store: StoreUnderTest
    ) -> None:
        worker = store.open()
        for value in (np.arange(1000), BIG):
            put(worker, value)
            for reader in (worker, worker, store.open()):
                loaded = get(reader)
                assert (loaded == value).all()
                loaded[:] = -1

    @fails_for(broken.ReadsTheFirstPart, broken.MissesParts)
    def test_only_a_part_of_it_is_asked_for_so_that_is_read_at_least(
        self, store: StoreUnderTest
    ) -> None:
        parts = {"a": BIG, "b": BIG + 1, "c": "three"}
        put(store.open(), parts)
        for worker in (store.open(), store.open()):
            for name, part in parts.items():
                found = must(worker.read(KEY, name))
                assert repr(decode(found.encoded, name)) == repr(part)

    @fails_for(broken.MissesParts)
    def test_it_has_no_such_part_so_the_whole_is_read(self, store: StoreUnderTest) -> None:
        worker = store.open()
        for value in ({"a": BIG, "b": [1]}, BIG, "small"):
            put(worker, value)
            for reader in (worker, store.open()):
                found = must(reader.read(KEY, "none"))
                assert repr(decode(found.encoded)) == repr(value)

    @fails_for(broken.TrustsMemory)
    def test_it_is_damaged_so_it_is_a_miss(self, store: StoreUnderTest) -> None:
        for value in ("small", BIG):
            put(store.open(), value)
            reader = store.open()
            assert get(reader) is not None
            store.damage(KEY)
            store.clock.now += 60
            assert get(reader) is None
            assert get(store.open()) is None

    @fails_for(broken.TrustsMemory)
    def test_another_secret_sealed_it_so_it_is_a_miss(self, store: StoreUnderTest) -> None:
        stranger = store.open(sealing_key=b"the sealing key of somebody else")
        put(stranger, "theirs")
        assert get(stranger) == "theirs"
        assert get(store.open()) is None

    @fails_for(broken.TrustsMemory)
    def test_it_is_the_entry_of_another_key_so_it_is_a_miss(self, store: StoreUnderTest) -> None:
        put(store.open(), "mine")
        put(store.open(), "before", OTHER)
        reader = store.open()
        assert get(reader, OTHER) == "before"
        store.copy(KEY, to=OTHER)
        store.clock.now += 60
        assert get(reader, OTHER) is None
        assert get(store.open(), OTHER) is None

    @fails_for(broken.NeverExpires)
    def test_it_has_expired_so_it_is_a_miss(self, store: StoreUnderTest) -> None:
        worker, now = store.open(), store.clock.now
        put(worker, "value", gone_at=now + 10)
        store.clock.now = now + 9.9
        assert get(worker) == "value"
        store.clock.now = now + 10
        assert get(worker) is None
        assert get(store.open()) is None

    @fails_for(broken.TrustsMemory, broken.DeletesNothing)
    def test_its_key_was_deleted_so_it_is_a_miss(self, store: StoreUnderTest) -> None:
        writer, reader = store.open(), store.open()
        put(writer, "value")
        assert get(reader) == "value"
        writer.delete(KEY)
        assert get(reader) is None
        assert KEY not in store.stored()

    @fails_for(broken.IgnoresTags)
    def test_one_of_its_tags_was_forgotten_so_it_is_a_miss(self, store: StoreUnderTest) -> None:
        writer, reader = store.open(), store.open()
        put(writer, "value", tags=writer.epochs(["a", "b"]))
        assert get(reader) == "value"
        writer.forget_tag("b")
        assert get(reader) is None
        assert get(store.open()) is None


class List:
    """The cases of `Store.list`."""

    @fails_for(broken.ListsNothing)
    def test_nothing_is_asked_for_so_all_is_listed(self, store: StoreUnderTest) -> None:
        worker = store.open()
        put(worker, "value", name="first", owner="session:ab")
        put(worker, BIG, OTHER, kind="put", name="second")
        listed = store.open().list()
        assert len(listed) == 2
        first, second = sorted(listed, key=lambda one: one.name)
        told = first.key, first.kind, first.name, first.owner
        assert told == (KEY, "memo", "first", "session:ab")
        assert (second.key, second.kind, second.name, second.owner) == (OTHER, "put", "second", "")
        assert second.size > BIG.nbytes > first.size > 0
        worker.delete(KEY)
        assert [one.key for one in worker.list()] == [OTHER]

    @fails_for(broken.ListsEverything)
    def test_an_owner_kind_or_tag_is_asked_for_so_only_that_is_listed(
        self, store: StoreUnderTest
    ) -> None:
        worker, owner = store.open(), Owner("session:ab")
        state: Kind = "state"
        put(worker, 1, KEY, owner=owner, kind=state, tags=worker.epochs(["t"]))
        put(worker, 2, OTHER, owner="", kind="memo", tags=worker.epochs(["u"]))
        mine = (
            worker.list(owner=owner),
            worker.list(kind=state),
            worker.list(tag="t"),
            worker.list(owner=owner, kind=state, tag="t"),
        )
        assert [[one.key for one in listed] for listed in mine] == [[KEY]] * 4
        others = worker.list(owner=APP), worker.list(kind="memo"), worker.list(tag="u")
        assert [[one.key for one in listed] for listed in others] == [[OTHER]] * 3
        assert list(worker.list(owner=owner, kind="memo")) == []

    @fails_for(broken.ReadsByListing)
    def test_the_listing_was_lost_so_reads_go_on(self, store: StoreUnderTest) -> None:
        put(store.open(), "value")
        store.lose_listing()
        assert get(store.open()) == "value"
