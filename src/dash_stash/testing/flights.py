"""What every store must do so that only one caller at a time computes a key."""

from __future__ import annotations

from dash_stash.owner import Owner
from dash_stash.stores.base import Landed
from dash_stash.testing import broken
from dash_stash.testing.calls import KEY, OTHER, Caller, Child, fly, flying, must, put
from dash_stash.testing.place import StoreUnderTest, fails_for


class Join:
    """The cases of `Store.join`."""

    @fails_for(broken.LetsNobodyCompute)
    def test_nobody_computes_it_so_there_is_a_flight(self, store: StoreUnderTest) -> None:
        for _ in range(2):
            with flying(store.open()), flying(store.open(), OTHER):
                pass

    @fails_for(broken.WaitsForNobody, broken.TellsNoOutcome)
    def test_somebody_computes_it_so_it_is_told_how_that_ended(self, store: StoreUnderTest) -> None:
        with flying(store.open()) as flight:
            waiting = Caller(lambda: store.open().join(KEY))
            assert waiting.is_waiting()
            flight.land(b"an outcome")
        assert waiting.result() == Landed(b"an outcome")

    @fails_for(broken.AlwaysWaits)
    def test_somebody_computes_it_so_there_is_nothing_at_once_without_wait(
        self, store: StoreUnderTest
    ) -> None:
        with flying(store.open()) as flight:
            asking = Caller(lambda: store.open().join(KEY, wait=False))
            came_back = any(not asking.is_waiting() for _ in range(4))
            flight.land()
        result = asking.result()
        assert came_back
        assert result is None

    @fails_for(broken.LetsAllCompute)
    def test_somebody_computes_it_so_no_other_does(self, store: StoreUnderTest) -> None:
        with flying(store.open()):
            assert store.open().join(KEY, wait=False) is None

    @fails_for(broken.LocksByData, broken.LetsAllCompute)
    def test_the_caller_that_computed_it_died_so_another_does(self, store: StoreUnderTest) -> None:
        with Child(lambda: fly(store.open())) as holder:
            assert holder.succeeded
            joined = store.open().join(KEY, wait=False)
            assert joined is None, "another process computes it"
        joined = Caller(lambda: store.open().join(KEY)).result()
        if joined == Landed(None):
            joined = fly(store.open())
        must(joined).close()

    @fails_for(broken.LetsNobodyCompute)
    def test_the_caller_that_computed_it_gave_up_so_another_does(
        self, store: StoreUnderTest
    ) -> None:
        flight = fly(store.open())
        waiting = Caller(lambda: store.open().join(KEY))
        waiting.is_waiting()
        flight.close()
        joined = waiting.result()
        assert not isinstance(joined, Landed)
        must(joined).close()

    @fails_for(broken.CommitsOneAtATime)
    def test_somebody_computes_it_so_only_join_waits(self, store: StoreUnderTest) -> None:
        flight = fly(store.open())
        worker = store.open()

        def everything() -> None:
            put(worker, "value", tags=worker.epochs(["t"]))
            worker.read(KEY)
            worker.list()
            worker.touch(Owner("session:a"))
            worker.leave(Owner("session:a/tab:1"))
            worker.has_ended(Owner("session:a"))
            worker.end(Owner("session:a"))
            worker.forget_tag("t")
            worker.delete(KEY)

        calling = Caller(everything)
        came_back = any(not calling.is_waiting() for _ in range(4))
        flight.close()
        calling.result()
        assert came_back
