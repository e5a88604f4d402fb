"""What opening a reference gives: the stored value, or the one that its recipe makes again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from dash_stash import recipe
from dash_stash.clock import Clock
from dash_stash.codec import PartName, Unreadable, decode, pick
from dash_stash.errors import RefExpired, RefInvalid
from dash_stash.memo import Call, Memo
from dash_stash.ref import References, Target
from dash_stash.scope import Visits
from dash_stash.stores.base import Found, Store, patiently, read_patiently


class Opener:
    """Loads, and deletes, what the references of one Stash point at."""

    references: References
    """What opens the references within a value."""

    def __init__(
        self,
        store: Store,
        visits: Visits,
        clock: Clock,
        memos: Mapping[bytes, Iterable[Memo[Any, Any]]],
    ) -> None:
        """Take where values are, who is asking, what tells the time, and the program's memo functions by their ids."""
        self._store, self._visits, self._clock, self._memos = store, visits, clock, memos

    def load(self, target: Target) -> Any:
        """Return the value that a reference points at, or the part of it.

        Raises:
            RefExpired: It is gone and cannot be computed again.
            RefInvalid: It would have to be computed for somebody else.
            PartMissing: It has no such part.
        """
        return self._memos_value(target) if target.is_memo else self._put_value(target)

    @patiently()
    def delete(self, key: bytes) -> None:
        """Delete the value of *key*."""
        self._store.delete(key)

    def _put_value(self, target: Target) -> Any:
        what = "a value given to stash.put()"
        with patiently():
            found = self._store.read(target.key, *target.path[:1])
        if found is None:
            raise RefExpired(
                what,
                "its ttl has passed, its session has ended, it was deleted, or evicted for want of room (max_bytes, "
                "max_session_bytes); or it was stored on another machine, in a folder that this one does not have. What a memo "
                "function computes is computed again",
            )
        try:
            return self._decoded(found, target)
        except Unreadable as error:
            raise RefExpired(what, f"this program cannot read it any more ({error})") from error

    def _memos_value(self, target: Target) -> Any:
        # A recipe is as recently used as its value, so that it is not evicted before. Without it
        # nothing can be computed.
        made = read_patiently(self._store, recipe.key_of(target.key))
        found = self._store.read(target.key, *target.path[:1])
        if found is not None and self._is_served(found, made):
            with contextlib.suppress(Unreadable):
                return self._decoded(found, target)
        if made is None:
            raise RefExpired(
                "the value of a memo function",
                "how to compute it was not, or is no longer, stored either",
            )
        return _part(self._recompute(made, target.key), target.path)

    def _decoded(self, found: Found, target: Target) -> Any:
        return _part(
            decode(found.encoded, *target.path[:1], references=self.references), target.path[1:]
        )

    def _is_served(self, found: Found, made: Found | None) -> bool:
        """Whether a stored value is still what its function gives: fresh, and not of code that has changed since."""
        if not found.entry.facts.is_fresh(self._clock()):
            return False
        makers = [] if made is None else self._makers(made)
        return not makers or any(
            memo.signature.function.hex() == made.entry.facts.function.partition(" ")[2]
            for memo in makers
            if made
        )

    def _makers(self, made: Found) -> list[Memo[Any, Any]]:
        """The functions of this program that a recipe names."""
        identifier = bytes.fromhex(made.entry.facts.function.partition(" ")[0])
        return list(self._memos.get(identifier, ()))

    def _recompute(self, made: Found, key: bytes) -> Any:
        facts = made.entry.facts
        what = f"a value of {facts.name}()"
        why = "that function has changed, or is not part of this program"
        try:
            known = recipe.unpack(made.encoded, self.references)
        except Unreadable as error:
            raise RefExpired(
                what, f"this program cannot read its arguments any more ({error})"
            ) from error
        calls: dict[bytes, tuple[Memo[Any, Any], Call]] = {}
        for memo in self._makers(made):
            if memo.signature.captured == known.captured:
                try:
                    call = self._visits.aside(lambda: memo.recall(known))  # noqa: B023 (called at once)
                except TypeError as error:
                    why = f"it cannot be computed from the arguments that the reference knows: {error}"
                    continue
                calls[call.key] = memo, call
        if key in calls:
            calls = {key: calls[key]}
        if len(calls) != 1:
            raise RefExpired(what, why)
        ((memo, call),) = calls.values()
        if call.owner != facts.scope:
            raise RefInvalid("foreign", what)
        return memo.value_of(call)


def _part(value: Any, path: tuple[PartName, ...]) -> Any:
    for part in path:
        value = pick(value, part)
    return value
