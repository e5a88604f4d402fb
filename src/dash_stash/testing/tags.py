"""What every store must do to forget all values with a tag at once."""

from __future__ import annotations

import contextlib

from dash_stash.errors import StoreUnavailable
from dash_stash.stores.base import UNKNOWN_EPOCH
from dash_stash.testing import broken
from dash_stash.testing.calls import KEY, OTHER, flying, get, put
from dash_stash.testing.place import StoreUnderTest, fails_for


class Epochs:
    """The cases of `Store.epochs`."""

    @fails_for(broken.EpochsOfOneWorker)
    def test_no_tag_was_forgotten_so_all_workers_have_the_same(self, store: StoreUnderTest) -> None:
        before = store.open().epochs(["a", "b"])
        assert set(before) == {"a", "b"}
        assert store.open().epochs(["a", "b"]) == before
        assert store.open().epochs([]) == {}

    @fails_for(broken.OneEpoch)
    def test_a_tag_was_forgotten_so_it_alone_has_another(self, store: StoreUnderTest) -> None:
        worker, other = store.open(), store.open()
        before = worker.epochs(["a", "b"])
        other.forget_tag("a")
        after = worker.epochs(["a", "b"])
        assert after["a"] != before["a"]
        assert after["b"] == before["b"]

    @fails_for(broken.OneEpoch)
    def test_the_store_is_out_of_reach_so_no_epoch_is_made_up(self, store: StoreUnderTest) -> None:
        worker = store.open()
        worker.epochs(["t"])
        store.cut_off()
        store.clock.now += 60
        with contextlib.suppress(StoreUnavailable):
            assert worker.epochs(["t"]) == {"t": UNKNOWN_EPOCH}


class ForgetTag:
    """The cases of `Store.forget_tag`."""

    @fails_for(broken.IgnoresTags)
    def test_it_is_stored_so_it_is_a_miss_for_everybody(self, store: StoreUnderTest) -> None:
        worker, other = store.open(), store.open()
        put(worker, "value", tags=worker.epochs(["t"]))
        assert get(other) == "value"
        worker.forget_tag("t")
        assert (get(worker), get(other), get(store.open())) == (None, None, None)

    @fails_for(broken.ForgetsWhatIsListed)
    def test_it_is_being_computed_so_it_is_a_miss_once_it_is_stored(
        self, store: StoreUnderTest
    ) -> None:
        worker, other = store.open(), store.open()
        with flying(worker) as flight:
            tags = worker.epochs(["t"])
            other.forget_tag("t")
            put(worker, "old", flight=flight, tags=tags)
            flight.land()
        assert get(worker) is None
        assert get(other) is None

    @fails_for(broken.ForgetsEverything)
    def test_it_has_other_tags_so_it_stays(self, store: StoreUnderTest) -> None:
        worker = store.open()
        put(worker, "tagged", tags=worker.epochs(["t"]))
        put(worker, "untagged", OTHER, tags=worker.epochs(["u"]))
        worker.forget_tag("t")
        assert (get(worker), get(worker, OTHER)) == (None, "untagged")
        assert store.stored() & {KEY, OTHER} == {OTHER}

    @fails_for(broken.OneEpoch)
    def test_its_computation_began_later_so_it_stays(self, store: StoreUnderTest) -> None:
        worker = store.open()
        worker.forget_tag("t")
        put(worker, "new", tags=worker.epochs(["t"]))
        assert get(worker) == "new"
