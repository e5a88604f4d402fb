"""Turns references into values: loads the stored value, or computes it again from its recipe."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from dash_stash import recipe
from dash_stash.cache import Call, FunctionCache
from dash_stash.codec import PartName, Unreadable, decode, pick
from dash_stash.deployment import Deployment
from dash_stash.errors import RefExpired, RefInvalid
from dash_stash.recipe import Recipe
from dash_stash.ref import Target
from dash_stash.stores.base import Found, patiently, read_patiently

_WHY_GONE = (
    "its ttl has passed, its session has ended, it was deleted, or it was evicted to make room "
    "(max_bytes, max_session_bytes); or it was stored on another machine, in a folder that this "
    "machine does not have. Only values of memo functions are computed again"
)


class Resolver:
    """Loads and deletes the values that the references of one deployment point at."""

    def __init__(
        self, deployment: Deployment, caches: Mapping[bytes, Iterable[FunctionCache]]
    ) -> None:
        """Take the deployment, and the program's memo functions by their ids."""
        self._deployment, self._caches = deployment, caches

    def load(self, target: Target) -> Any:
        """Return the value, or the part of a value, that a reference points at.

        Raises:
            RefExpired: The value is gone and cannot be computed again.
            RefInvalid: The value would have to be computed for somebody else.
            PartMissing: The value has no such part.
        """
        return self._memo_value(target) if target.is_memo else self._put_value(target)

    @patiently()
    def delete(self, key: bytes) -> None:
        """Delete the value of *key*."""
        self._deployment.store.delete(key)

    def _put_value(self, target: Target) -> Any:
        what = "a value given to stash.put()"
        with patiently():
            found = self._deployment.store.read(target.key, *target.path[:1])
        if found is None:
            raise RefExpired(what, _WHY_GONE)
        try:
            return self._decoded(found, target)
        except Unreadable as error:
            raise RefExpired(what, f"this program cannot read it any more ({error})") from error

    def _memo_value(self, target: Target) -> Any:
        # Whenever the value is read, the recipe is read too: so its last use is as late, and it is
        # not evicted before the value. Without the recipe the value cannot be computed again.
        store = self._deployment.store
        stored = read_patiently(store, recipe.key_of(target.key))
        found = store.read(target.key, *target.path[:1])
        if found is not None and self._is_current(found, stored):
            with contextlib.suppress(Unreadable):
                return self._decoded(found, target)
        if stored is None:
            raise RefExpired(
                "the value of a memo function",
                "its recipe, from which it could be computed again, is not stored either",
            )
        return _part(self._recompute(stored, target.key), target.path)

    def _decoded(self, found: Found, target: Target) -> Any:
        references = self._deployment.references
        value = decode(found.encoded, *target.path[:1], references=references)
        return _part(value, target.path[1:])

    def _is_current(self, found: Found, stored: Found | None) -> bool:
        """Return whether a value is fresh, and its function's code is still the same."""
        if not found.entry.facts.is_fresh(self._deployment.clock()):
            return False
        if stored is None:
            return True
        code = stored.entry.facts.function.partition(" ")[2]
        known = self._named_by(stored)
        return not known or any(cache.signature.function.hex() == code for cache in known)

    def _named_by(self, stored: Found) -> list[FunctionCache]:
        """Return the functions of this program that a stored recipe names."""
        identifier = bytes.fromhex(stored.entry.facts.function.partition(" ")[0])
        return list(self._caches.get(identifier, ()))

    def _recompute(self, stored: Found, key: bytes) -> Any:
        """Compute the value of *key* again from its stored recipe.

        Raises:
            RefExpired: The value cannot be computed.
            RefInvalid: The value would belong to somebody else.
        """
        facts = stored.entry.facts
        what = f"a value of {facts.name}()"
        try:
            made = recipe.unpack(stored.encoded, self._deployment.references)
        except Unreadable as error:
            raise RefExpired(
                what, f"this program cannot read its arguments any more ({error})"
            ) from error
        calls, why = self._calls(stored, made)
        if key in calls:
            calls = {key: calls[key]}
        if len(calls) != 1:
            raise RefExpired(what, why)
        (call,) = calls.values()
        if call.owner != facts.owner:
            raise RefInvalid("foreign", what)
        return call.cache.value_of(call)

    def _calls(self, stored: Found, made: Recipe) -> tuple[dict[bytes, Call], str]:
        """Return the calls that a recipe may mean, by their keys, and why there are no others."""
        why = "that function has changed, or is not part of this program"
        calls: dict[bytes, Call] = {}
        for cache in self._named_by(stored):
            if cache.signature.captured != made.captured:
                continue
            try:
                call = self._deployment.visitor.aside(lambda: cache.recall(made))  # noqa: B023 (called at once)
            except TypeError as error:
                why = f"it cannot be computed from the arguments that the reference knows: {error}"
            else:
                calls[call.key] = call
        return calls, why


def _part(value: Any, path: tuple[PartName, ...]) -> Any:
    for part in path:
        value = pick(value, part)
    return value
