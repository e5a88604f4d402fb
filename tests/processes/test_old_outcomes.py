"""Those who wait for a computation get what comes of it: never what an earlier one has left."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from dash_stash.stores.base import Flight, Landed, Store
from dash_stash.stores.local import LocalStore
from dash_stash.testing import ManualClock, StoreUnderTest
from dash_stash.testing.calls import Caller
from support import LIMITS, SEALING_KEY, start_python
from unit.places import PLACES

KEY = b"a key of 16 byte"


def fly(store: Store) -> Flight:
    flight = store.join(KEY, wait=False)
    assert flight is not None
    assert not isinstance(flight, Landed)
    return flight


def told(store: Store, waiter: Store, outcome: bytes | None) -> object:
    """Return what somebody is told who waits for a flight that ends with an outcome."""
    flight = fly(store)
    waiting = Caller(lambda: waiter.join(KEY))
    waiting.join(0.3)
    assert waiting.is_alive(), "has not waited"
    flight.land(outcome)
    return waiting.result()


@pytest.fixture(params=list(PLACES))
def place(
    request: pytest.FixtureRequest, folder: pathlib.Path, clock: ManualClock
) -> Iterator[StoreUnderTest]:
    place = PLACES[request.param](folder, clock)
    yield place
    place.close()


@pytest.mark.parametrize("outcome", [None, b"new"], ids=["a value", "an error"])
def test_an_error_that_was_told_is_not_told_to_those_who_wait_for_the_next(
    outcome: bytes | None, place: StoreUnderTest
) -> None:
    first, second, third = (place.open() for _ in range(3))
    assert told(first, second, b"an old failure") == Landed(b"an old failure")
    assert told(third, first, outcome) == Landed(outcome)
    assert told(first, third, None) == Landed(None)


_DIES = """
import os, pathlib, signal, sys
from dash_stash.stores.local import LocalStore
from support import LIMITS, SEALING_KEY

class Deadly:
    def unlink(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

flight = LocalStore(pathlib.Path(sys.argv[1]), SEALING_KEY, LIMITS).join(bytes.fromhex(sys.argv[2]))
flight.path = Deadly()
flight.land(b"an old failure")
"""


def test_what_a_worker_has_told_that_died_before_it_was_done_is_not_told_to_others(
    folder: pathlib.Path,
) -> None:
    dying = start_python(_DIES, folder, KEY.hex())
    dying.communicate(timeout=60)
    assert dying.returncode == -9
    first, second = (LocalStore(folder, SEALING_KEY, LIMITS) for _ in range(2))
    assert told(first, second, None) == Landed(None)
