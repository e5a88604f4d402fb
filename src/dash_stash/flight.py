"""Flights: callers of the same key share one computation.

The steps are written only once, as a generator. It yields what must be run: something that may
block, or the user's function. Synchronous callers run both in place; asynchronous callers run the
first kind off the event loop and await the second.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import os
import pickle
import time
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from dash_stash import seal
from dash_stash.errors import ComputeFailed, FlightCycle, StoreUnavailable
from dash_stash.stores.base import Flight, Landed, Store, be_patient, come_apart

T = TypeVar("T")

MISSING: Any = object()
"""There is no value; `None` is a value."""

# The outcome of a flight whose value could not be stored. Even a full disk has room for it (see
# `LocalFlight.land`).
_UNSTORED = b"\0"
_ALONE = Landed(_UNSTORED)
_SEAL_SIZE = 32


@dataclass(frozen=True, slots=True)
class Step:
    """A step to run for a `Producer`."""

    run: Callable[[], Any]
    is_users: bool
    """Whether it is the user's function, which may return a coroutine; other steps may block."""


Steps = Generator[Step, Any, Any]

Save = Callable[[Flight, Any, float], None]
"""Stores a computed value; takes the flight, the value, and the seconds that it took."""

Warn = Callable[[StoreUnavailable], None]


class Producer(Protocol):
    """A caller that wants the value of a key, with its ways to load and compute it."""

    key: bytes
    name: str

    def load(self, *, waited: bool = False) -> Any:
        """Return the stored value, or MISSING; *waited*: whether another caller computed it."""
        ...

    def compute(self) -> Any:
        """Call the user's function."""
        ...

    def hand_out(self, value: Any, *, is_stored: bool) -> Any:
        """Return the caller's private copy of the computed value."""
        ...

    def begin(self) -> Save:
        """Return a function that stores the value of a computation that begins now."""
        ...


# The keys that this thread or task is computing: one that would wait for itself gets an error
# instead of waiting for ever. It is set in a context made for it and never reset, so no signal
# handler can interrupt the reset.
_computing: ContextVar[frozenset[bytes]] = ContextVar("dash_stash_computing", default=frozenset())


def obtain(
    store: Store,
    producer: Producer,
    sealing_key: bytes,
    warn: Warn,
    *,
    held: Flight | None = None,
    anew: bool = False,
) -> Steps:
    """Load the value, wait for it, or compute and store it; with *anew*, always compute.

    *held* is a flight that the caller already has; it is closed at the end.
    """
    # A flight is in a with block from the moment it is passed on, so it ends whatever happens: see
    # `stores.local.locks`.
    with held or Landed(None):
        _begin(producer.key, producer.name)
        while True:
            try:
                # Before the wait: `forget` from here on applies to this computation, too.
                save = yield _blocking(producer.begin)
            except StoreUnavailable as error:
                warn(error)
                return (yield from _alone(producer))
            with held or (yield _blocking(_joined, store, producer.key, warn)) as joined:
                if not isinstance(joined, Landed):
                    # Somebody may have stored it after the caller looked and before the flight.
                    value = MISSING if anew else (yield _blocking(producer.load, waited=True))
                    if value is MISSING:
                        return (yield from _lead(joined, producer, save, sealing_key, warn))
                    joined.land()
                    return value
            if joined is _ALONE or (joined.outcome == _UNSTORED and not anew):
                return (yield from _alone(producer))
            if not anew:
                _raise_failure(joined, sealing_key, producer.key)
                value = yield _blocking(producer.load, waited=True)
                if value is not MISSING:
                    return value


def _blocking(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Step:
    return Step(functools.partial(call, *args, **kwargs), is_users=False)


def _joined(store: Store, key: bytes, warn: Warn) -> Flight | Landed:
    """Get the right to compute *key*, or wait for the caller that has it.

    Return `_ALONE` if the store is out of reach.
    """
    try:
        return store.join(key) or Landed(None)
    except StoreUnavailable as error:
        warn(error)
        return _ALONE


def _alone(producer: Producer) -> Steps:
    """Compute the value for this caller only."""
    value = yield _computation(producer)
    return (yield _blocking(producer.hand_out, value, is_stored=False))


def _lead(flight: Flight, producer: Producer, save: Save, sealing_key: bytes, warn: Warn) -> Steps:
    """Compute and store the value, and pass the outcome to the callers that wait."""
    began = time.perf_counter()
    try:
        value = yield _computation(producer)
        took = time.perf_counter() - began
        outcome = yield _blocking(_stored, save, flight, value, took, warn)
        result = yield _blocking(producer.hand_out, value, is_stored=outcome is None)
    except Exception as error:
        flight.land(_describe_failure(error, sealing_key, producer.key))
        raise
    flight.land(outcome)
    return result


def _stored(save: Save, flight: Flight, value: Any, took: float, warn: Warn) -> bytes | None:
    """Store a value; return the outcome for the callers that wait if it cannot be stored."""
    try:
        save(flight, value, took)
    except StoreUnavailable as error:
        warn(error)
        return _UNSTORED
    return None


def _computation(producer: Producer) -> Step:
    def compute() -> Any:
        result = producer.compute()
        # Do not check for `__await__`: a lazy frame has it too, and is a value.
        return _compute_async(result, producer) if inspect.iscoroutine(result) else result

    return Step(compute, is_users=True)


async def _compute_async(result: Coroutine[Any, Any, Any], producer: Producer) -> Any:
    # This context belongs to an asyncio task; the function may begin other computations in it.
    token = _computing.set(_computing.get() | {producer.key})
    try:
        return await result
    finally:
        _computing.reset(token)


def exclusively(store: Store, key: bytes, name: str, act: Callable[[Flight], T]) -> T:
    """Call *act* with the flight of *key*; the flight lands after the call.

    Raises:
        FlightCycle: This thread or task already has the flight of *key*.
        StoreUnavailable: The store is out of reach, so nobody can get the flight.
    """
    return contextvars.copy_context().run(_exclusively, store, key, name, act)


def _exclusively(store: Store, key: bytes, name: str, act: Callable[[Flight], T]) -> T:
    _begin(key, name, FlightCycle.CHANGING)
    while True:
        # No other with block in between: if it were interrupted at its end, the flight would be
        # lost.
        be_patient(patient=True)
        with store.join(key) or Landed(None) as joined:
            if not isinstance(joined, Landed):
                be_patient(patient=False)
                try:
                    return act(joined)
                finally:
                    be_patient(patient=True)
                    joined.land()


def _begin(key: bytes, name: str, why: str = FlightCycle.COMPUTING) -> None:
    """Note that the present context computes *key* from now on.

    Raises:
        FlightCycle: It already computes *key*.
    """
    if key in _computing.get():
        raise FlightCycle(name, why)
    _computing.set(_computing.get() | {key})


# Failures


def _describe_failure(error: Exception, sealing_key: bytes, key: bytes) -> bytes:
    """Describe an error for the callers that wait for *key*, whatever the error's class does."""
    kind = type(error)
    try:
        text = str(error)
    except Exception as broken:  # noqa: BLE001 (the user's own class decides what fails here)
        text = f"(its text is not known: str() raised {type(broken).__name__})"
    try:
        pickled = pickle.dumps(error)
        # Some errors do not unpickle, or unpickle to something else. This is checked once here, not
        # by each caller that waits.
        if type(pickle.loads(pickled)) is not kind:  # noqa: S301 (made right above)
            pickled = b""
    except (Exception, SystemExit):  # noqa: BLE001 (likewise)
        pickled = b""
    description = pickle.dumps((pickled, kind.__name__, text))
    return seal.make(sealing_key, key, description) + description


def _raise_failure(landed: Landed, sealing_key: bytes, key: bytes) -> None:
    outcome = landed.outcome
    # On a server, somebody else may have written it, with any length.
    if (
        outcome is None
        or len(outcome) <= _SEAL_SIZE
        or not seal.matches(outcome[:_SEAL_SIZE], sealing_key, key, outcome[_SEAL_SIZE:])
    ):
        return
    pickled, kind, text = pickle.loads(outcome[_SEAL_SIZE:])  # noqa: S301 (the seal was checked)
    try:
        error = pickle.loads(pickled)  # noqa: S301 (likewise)
    except Exception:  # noqa: BLE001 (it was not pickled, or this program lacks its class)
        error = ComputeFailed(kind, text)
    raise error if isinstance(error, Exception) else ComputeFailed(kind, text)


# Running


def run(steps: Steps) -> Any:
    """Run *steps* in place.

    The user's async function runs on its own event loop, in another thread.
    """
    return contextvars.copy_context().run(_run, steps)


def _run(steps: Steps) -> Any:
    result = None
    try:
        step = next(steps)
        while True:
            try:
                result = step.run()
                if step.is_users and inspect.iscoroutine(result):
                    result = _off_thread(functools.partial(asyncio.run, result)).result()
            except BaseException as error:  # noqa: BLE001 (the steps decide)
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as stop:
        return stop.value
    finally:
        # A signal handler may raise between two steps. Then nobody else closes the flight that the
        # steps hold, or were about to get.
        result = None
        steps.close()


async def run_async(steps: Steps) -> Any:
    """Run *steps* without ever blocking the event loop."""
    context = contextvars.copy_context()
    result = None
    try:
        step = context.run(next, steps)
        while True:
            try:
                if step.is_users:
                    result = context.run(step.run)
                    if inspect.iscoroutine(result):
                        result = await result
                else:
                    result = await _settled(context.run(_off_thread, step.run))
            except BaseException as error:  # noqa: BLE001 (the steps decide)
                step = context.run(steps.throw, error)
            else:
                step = context.run(steps.send, result)
    except StopIteration as stop:
        return stop.value
    finally:
        result = None
        steps.close()


async def off_loop(call: Callable[[], T]) -> T:
    """Run *call*, which may block, in another thread, with the same context."""
    return await _settled(_off_thread(call))


async def _settled(future: Future[T]) -> T:
    try:
        return await asyncio.shield(asyncio.wrap_future(future))
    except asyncio.CancelledError:
        # The thread cannot be stopped. If it still gets a flight, that must be closed.
        future.add_done_callback(_close_unwanted)
        raise


def _close_unwanted(future: Future[Any]) -> None:
    if future.exception() is None:
        result = future.result()
        for part in result if isinstance(result, tuple) else (result,):
            if hasattr(part, "land"):
                part.close()


def _off_thread(call: Callable[[], T]) -> Future[T]:
    context = contextvars.copy_context()
    # Flights outlive the call, and the thread later runs other calls, which do not hold them.
    context.run(come_apart)
    return _threads(os.getpid()).submit(context.run, call)


@functools.lru_cache(maxsize=1)
def _threads(process: int) -> ThreadPoolExecutor:  # noqa: ARG001 (a forked child has no threads)
    # As many threads as callers may wait at the same time: with fewer, the callers that wait could
    # leave no thread for the caller that they wait for.
    return ThreadPoolExecutor(max_workers=1000, thread_name_prefix="dash-stash")
