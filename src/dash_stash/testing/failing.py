"""What every store must do when it is completely out of reach."""

from __future__ import annotations

import functools
from collections.abc import Callable

from dash_stash.errors import StoreUnavailable
from dash_stash.owner import Owner
from dash_stash.stores.base import UNKNOWN_EPOCH, Store
from dash_stash.testing import broken
from dash_stash.testing.calls import KEY, Caller, put
from dash_stash.testing.place import StoreUnderTest, fails_for

_METHODS: dict[str, Callable[[Store], object]] = {
    "read": lambda store: store.read(KEY),
    "join": lambda store: store.join(KEY, wait=False),
    "commit": lambda store: put(store, "value"),
    "delete": lambda store: store.delete(KEY),
    "epochs": lambda store: store.epochs(["t"]),
    "forget_tag": lambda store: store.forget_tag("t"),
    "list": lambda store: store.list(),
    "end": lambda store: store.end(Owner("session:a")),
    "has_ended": lambda store: store.has_ended(Owner("session:a")),
    "touch": lambda store: store.touch(Owner("session:a")),
    "leave": lambda store: store.leave(Owner("session:a")),
}


class Fail:
    """The case that holds for all methods: errors."""

    @fails_for(broken.RaisesForeignErrors)
    def test_all_methods_raise_store_unavailable_and_only_that(self, store: StoreUnderTest) -> None:
        used, new = store.open(), store.open()
        put(used, "value")
        store.ruin()
        for worker in (used, new):
            for name, method in _METHODS.items():
                store.clock.now += 60
                error = Caller(functools.partial(method, worker)).error
                if error is None and name == "epochs":
                    # Then the machine can still compute, and share with its own workers.
                    assert worker.epochs(["t"]) == {"t": UNKNOWN_EPOCH}
                    continue
                assert type(error) is StoreUnavailable, f"{name} raised {error!r}"
                assert error.where
