"""Memo functions that are `async def`: the same, awaited, and the event loop never stands still."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

import pytest

from dash_stash import FlightCycle, Stash
from dash_stash.stores.base import Flight, Landed, Store
from dash_stash.testing import ManualClock
from dash_stash.testing.wrapped import WrappedStore
from support import wait_until
from unit.visiting import at_once, visit


class Count:
    """How often something happened."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


@pytest.fixture
def calls() -> Count:
    return Count()


@contextlib.asynccontextmanager
async def ticking() -> AsyncIterator[None]:
    """See that the event loop goes on all the time that the block takes."""
    longest, loop = 0.0, asyncio.get_running_loop()

    async def tick() -> None:
        nonlocal longest
        while True:
            before = loop.time()
            await asyncio.sleep(0.01)
            longest = max(longest, loop.time() - before)

    ticker = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticker.cancel()
    assert longest < 1, f"the event loop stood still for {longest} s"


def free(stash: Stash, key: bytes) -> bool:
    """Whether nobody is computing a key; asked from outside."""
    joined = stash._deployment.store.join(key, wait=False)
    if joined is None or isinstance(joined, Landed):
        return False
    joined.close()
    return True


def test_50_callers_of_one_key_compute_once(stash: Stash, calls: Count) -> None:
    @stash.memo(ignore="calls")
    async def slow(n: int) -> int:
        await asyncio.sleep(0.05)
        return n + calls()

    async def main() -> None:
        async with ticking():
            assert await asyncio.gather(*(slow(10) for _ in range(50))) == [11] * 50
        assert await slow(n=10) == 11

    asyncio.run(main())
    assert calls.count == 1


def test_different_keys_are_computed_side_by_side(stash: Stash) -> None:
    async def main() -> None:
        together = asyncio.Barrier(20)

        @stash.memo(ignore="together")
        async def slow(n: int) -> int:
            await together.wait()
            return n

        assert await asyncio.gather(*map(slow, range(20))) == list(range(20))

    asyncio.run(asyncio.wait_for(main(), 30))


def test_waiting_for_a_thread_does_not_block_the_event_loop(stash: Stash, calls: Count) -> None:
    entered, released = threading.Event(), threading.Event()

    @stash.memo(ignore=("calls", "entered", "released"))
    async def slow() -> int:
        entered.set()
        await asyncio.get_running_loop().run_in_executor(None, released.wait, 30)
        return calls()

    async def wait() -> int:
        async with ticking():
            waiting = asyncio.create_task(slow())
            await asyncio.sleep(0.2)
            assert not waiting.done()
            released.set()
            return await waiting

    (other,) = at_once(1, lambda _: asyncio.run(slow()))
    assert entered.wait(30)
    assert asyncio.run(wait()) == other.result() == 1


def test_a_cancelled_waiter_leaves_no_lock(stash: Stash, calls: Count) -> None:
    async def main() -> None:
        entered, released = asyncio.Event(), asyncio.Event()

        @stash.memo(ignore=("calls", "entered", "released"))
        async def slow() -> int:
            entered.set()
            await released.wait()
            return calls()

        computing = asyncio.create_task(slow())
        await entered.wait()
        waiters = [asyncio.create_task(slow()) for _ in range(5)]
        await asyncio.sleep(0.2)
        for waiter in waiters:
            waiter.cancel()
        assert [
            type(error) for error in await asyncio.gather(*waiters, return_exceptions=True)
        ] == [asyncio.CancelledError] * 5
        released.set()
        assert await computing == 1
        slow.forget()
        assert await slow() == 2

    asyncio.run(asyncio.wait_for(main(), 30))


def test_a_cancelled_computation_is_taken_over_by_one_who_waits(stash: Stash, calls: Count) -> None:
    async def main() -> None:
        entered = asyncio.Event()

        @stash.memo(ignore=("calls", "entered"))
        async def slow() -> int:
            if calls() == 1:
                entered.set()
                await asyncio.sleep(60)
            return calls.count

        computing = asyncio.create_task(slow())
        await entered.wait()
        waiting = asyncio.create_task(slow())
        await asyncio.sleep(0.1)
        computing.cancel()
        assert await waiting == 2
        with pytest.raises(asyncio.CancelledError):
            await computing

    asyncio.run(asyncio.wait_for(main(), 30))


class SlowToJoin(WrappedStore):
    """A store that is slow at the moment when a flight is had."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, {})
        self.joining, self.go_on = threading.Event(), threading.Event()

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        joined = self.inner.join(key, wait=wait)
        self.joining.set()
        assert self.go_on.wait(30)
        return joined


@pytest.mark.parametrize("is_stale", [False, True])
def test_a_caller_that_is_cancelled_just_as_it_gets_the_flight_leaves_no_lock(
    stash: Stash,
    clock: ManualClock,
    calls: Count,
    is_stale: bool,
) -> None:
    @stash.memo(ttl=60, stale=600, ignore="calls")
    async def value() -> int:
        return calls()

    if is_stale:
        assert asyncio.run(value()) == 1
        clock.now += 60
    store, stash._deployment.store = stash._deployment.store, SlowToJoin(stash._deployment.store)

    async def main(slow: SlowToJoin) -> None:
        calling = asyncio.create_task(value())
        await asyncio.get_running_loop().run_in_executor(None, slow.joining.wait, 30)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        slow.go_on.set()

    asyncio.run(main(stash._deployment.store))
    stash._deployment.store = store
    # Until the thread that got the flight has landed it, others are served what is stale.
    wait_until(lambda: asyncio.run(value()) == (2 if is_stale else 1), "another computes")
    assert calls.count == (2 if is_stale else 1)


def test_an_error_reaches_all_who_waited(stash: Stash, calls: Count) -> None:
    @stash.memo(ignore="calls")
    async def fails() -> None:
        calls()
        await asyncio.sleep(0.2)
        raise LookupError("no such carrier")

    async def main() -> list[BaseException | None]:
        return await asyncio.gather(*(fails() for _ in range(10)), return_exceptions=True)

    assert [repr(error) for error in asyncio.run(main())] == ["LookupError('no such carrier')"] * 10
    assert calls.count == 1


def test_one_that_needs_its_own_result_is_told(stash: Stash) -> None:
    @stash.memo
    async def loop(n: int) -> int:
        return await loop(n)

    with pytest.raises(FlightCycle, match="loop"):
        asyncio.run(asyncio.wait_for(loop(1), 30))


def test_one_may_call_itself_with_other_arguments_in_tasks_of_its_own(stash: Stash) -> None:
    @stash.memo
    async def fibonacci(n: int) -> int:
        return n if n < 2 else sum(await asyncio.gather(fibonacci(n - 1), fibonacci(n - 2)))

    assert asyncio.run(asyncio.wait_for(fibonacci(12), 60)) == 144


def test_all_methods_work(stash: Stash, clock: ManualClock, calls: Count) -> None:
    @stash.memo(ttl=60, share=True, ignore="calls")
    async def value(n: int) -> int:
        return calls()

    async def main() -> None:
        assert value.peek(1) is None
        ref = await value.ref(1)
        peeked: object = value.peek(1)
        assert (ref.get(), peeked, await value.refresh(1)) == (1, 1, 2)
        value.forget(1)
        assert (await value(1), value.info().entries) == (3, 1)
        clock.now += 60
        assert await value(1) == 4

    asyncio.run(main())


def test_a_reference_to_its_value_opens_where_nothing_can_be_awaited(
    stash: Stash, calls: Count
) -> None:
    @stash.memo(share=True, ignore="calls")
    async def value() -> int:
        await asyncio.sleep(0)
        return calls()

    async def main() -> int:
        ref = await value.ref()
        value.forget()
        opened: int = ref.get()
        return opened

    assert asyncio.run(main()) == 2
    value.forget()
    assert asyncio.run(value.ref()).get() == 3


def test_it_knows_the_session_that_it_serves(stash: Stash) -> None:
    @stash.memo(scope="session", ignore="stash")
    async def mine() -> str:
        await asyncio.sleep(0)
        return str(stash.session["name"])

    for name in ("one", "two"):
        with visit(stash, name):
            stash.session["name"] = name
            assert asyncio.run(mine()) == name


def test_methods_may_be_async(stash: Stash) -> None:
    class Airport:
        @stash.memo(ignore="self")
        async def square(self, n: int) -> int:
            return n * n

    assert asyncio.run(Airport().square(3)) == 9
