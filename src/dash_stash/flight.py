"""Once: how callers of the same key come to share one computation.

The way is written once, as a generator that yields what has to be run: something that may block, or the user's function.
Synchronous callers run it in place; asynchronous ones run the first kind off the event loop and await the second.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import os
import pickle
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from dash_stash import seal
from dash_stash.errors import ComputeFailed, FlightCycle, StoreUnavailable
from dash_stash.stores.base import Flight, Landed, Store

MISSING: Any = object()
"""No value; `None` is one."""

# The outcome of a flight whose value could not be stored: what also a full disk can hold (see `LocalFlight.land`).
_UNSTORED = b"\0"
_SEAL_SIZE = 32


@dataclass(frozen=True, slots=True)
class Step:
    """Something to run, and whether it is the user's function (which may return an awaitable) or something that may block."""

    run: Callable[[], Any]
    is_users: bool


Steps = Generator[Step, Any, Any]

Save = Callable[[Flight, Any, float], None]
"""Stores a computed value, with the flight and the seconds that it took."""

Warn = Callable[[StoreUnavailable], None]


class Task(Protocol):
    """What one caller wants: a value, by its key."""

    key: bytes
    name: str

    def load(self, *, waited: bool = False) -> Any:
        """Return the stored value, or MISSING; *waited* if another computed it meanwhile."""
        ...

    def compute(self) -> Any:
        """Call the user's function."""
        ...

    def copy(self, value: Any) -> Any:
        """Return a private copy of a value that could not be stored."""
        ...

    def begin(self) -> Save:
        """Return what stores the value of a computation that begins now."""
        ...


# The keys that this thread or task is computing, so that one that waits for itself is told so instead of waiting for ever.
_computing: ContextVar[frozenset[bytes]] = ContextVar("dash_stash_computing", default=frozenset())


def obtain(store: Store, task: Task, sealing_key: bytes, warn: Warn, *, held: Flight | None = None, anew: bool = False) -> Steps:
    """Return the task's value: loaded, waited for, or computed and stored; with *anew*, computed in any case.

    *held* is a flight that the caller has got already; it is closed at the end.
    """
    try:
        _refuse_cycle(task.key, task.name)
        while True:
            try:
                # What is forgotten from here on is forgotten for this computation too, so this comes before the wait.
                save = yield Step(task.begin, is_users=False)
                joined = held or (yield Step(functools.partial(store.join, task.key), is_users=False))
            except StoreUnavailable as error:
                warn(error)
                return (yield from _alone(task))
            if not isinstance(joined, Landed):
                held = joined
                # Somebody may have stored it between the caller's look and the flight.
                value = MISSING if anew else (yield Step(functools.partial(task.load, waited=True), is_users=False))
                if value is MISSING:
                    return (yield from _lead(held, task, save, sealing_key, warn))
                held.land()
                return value
            if not anew:
                _raise_failure(joined, sealing_key)
                if joined.outcome == _UNSTORED:
                    return (yield from _alone(task))
                value = yield Step(functools.partial(task.load, waited=True), is_users=False)
                if value is not MISSING:
                    return value
    finally:
        if held is not None:
            held.close()


def _alone(task: Task) -> Steps:
    """Compute for this caller only."""
    value = yield _computation(task)
    return (yield Step(functools.partial(task.copy, value), is_users=False))


def _lead(flight: Flight, task: Task, save: Save, sealing_key: bytes, warn: Warn) -> Steps:
    """Compute, store, and tell those who wait."""
    began = time.perf_counter()
    try:
        value = yield _computation(task)
        outcome = yield Step(functools.partial(_stored, save, flight, value, time.perf_counter() - began, warn), is_users=False)
        # What the function returned may be something that it keeps: the caller gets a copy like everybody else.
        copy = MISSING if outcome else (yield Step(task.load, is_users=False))
        if copy is MISSING:  # not stored, forgotten meanwhile, or its time is up already
            copy = yield Step(functools.partial(task.copy, value), is_users=False)
    except Exception as error:
        flight.land(_describe_failure(error, sealing_key))
        raise
    flight.land(outcome)
    return copy


def _stored(save: Save, flight: Flight, value: Any, took: float, warn: Warn) -> bytes | None:
    """Store a value; the outcome tells those who wait for it if that cannot be done."""
    try:
        save(flight, value, took)
    except StoreUnavailable as error:
        warn(error)
        return _UNSTORED
    return None


def _computation(task: Task) -> Step:
    def compute() -> Any:
        with computing(task.key, task.name):
            result = task.compute()
        return _compute_async(result, task) if inspect.isawaitable(result) else result

    return Step(compute, is_users=True)


async def _compute_async(result: Awaitable[Any], task: Task) -> Any:
    with computing(task.key, task.name):
        return await result


@contextmanager
def computing(key: bytes, name: str) -> Iterator[None]:
    """Be known, for the length of a with block, as the thread or task that computes *key*.

    Raises:
        FlightCycle: It is that already.
    """
    _refuse_cycle(key, name)
    token = _computing.set(_computing.get() | {key})
    try:
        yield
    finally:
        _computing.reset(token)


def _refuse_cycle(key: bytes, name: str) -> None:
    if key in _computing.get():
        raise FlightCycle(name)


def _describe_failure(error: Exception, sealing_key: bytes) -> bytes:
    try:
        pickled = pickle.dumps(error)
    except Exception:  # noqa: BLE001 (the user's own class decides what fails here)
        pickled = b""
    description = pickle.dumps((pickled, type(error).__name__, str(error)))
    return seal.make(sealing_key, description) + description


def _raise_failure(landed: Landed, sealing_key: bytes) -> None:
    outcome = landed.outcome
    # Also what somebody else has left on a server, of whatever length.
    if outcome is None or len(outcome) <= _SEAL_SIZE or not seal.matches(outcome[:_SEAL_SIZE], sealing_key, outcome[_SEAL_SIZE:]):
        return
    pickled, kind, text = pickle.loads(outcome[_SEAL_SIZE:])  # noqa: S301 (the seal was checked)
    try:
        error = pickle.loads(pickled)  # noqa: S301 (likewise)
    except Exception:  # noqa: BLE001 (some errors pickle but do not come back)
        error = ComputeFailed(kind, text)
    raise error


def run(steps: Steps) -> Any:
    """Run *steps* in place; a user's async function runs on an event loop of its own, in another thread."""
    send, argument = steps.send, None
    while True:
        try:
            step = send(argument)
        except StopIteration as stop:
            return stop.value
        try:
            argument = step.run()
            if step.is_users and inspect.isawaitable(argument):
                argument = _off_thread(functools.partial(asyncio.run, _awaited(argument))).result()
            send = steps.send
        except BaseException as error:  # noqa: BLE001 (the steps decide)
            argument, send = error, steps.throw


async def run_async(steps: Steps) -> Any:
    """Run *steps* without ever blocking the event loop."""
    send, argument = steps.send, None
    while True:
        try:
            step = send(argument)
        except StopIteration as stop:
            return stop.value
        try:
            if step.is_users:
                argument = await _awaited(step.run())
            else:
                argument = await off_loop(step.run)
            send = steps.send
        except BaseException as error:  # noqa: BLE001 (the steps decide)
            argument, send = error, steps.throw


async def _awaited(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


async def off_loop(call: Callable[[], Any]) -> Any:
    """Run something that may block in another thread, in the same context."""
    future = _off_thread(call)
    try:
        return await asyncio.shield(asyncio.wrap_future(future))
    except asyncio.CancelledError:
        # The thread cannot be called back; a flight that it gets must not stay in the air.
        future.add_done_callback(_close_unwanted)
        raise


def _close_unwanted(future: Future[Any]) -> None:
    if future.exception() is None:
        result = future.result()
        for part in result if isinstance(result, tuple) else (result,):
            if hasattr(part, "land"):
                part.close()


def _off_thread(call: Callable[[], Any]) -> Future[Any]:
    return _threads(os.getpid()).submit(contextvars.copy_context().run, call)


@functools.lru_cache(maxsize=1)
def _threads(process: int) -> ThreadPoolExecutor:  # noqa: ARG001 (a forked child has none of its parent's threads)
    # As many as callers may wait at the same time: with fewer, those who wait would keep out the one they wait for.
    return ThreadPoolExecutor(max_workers=1000, thread_name_prefix="dash-stash")
