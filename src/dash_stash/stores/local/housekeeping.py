"""Keeping a store within its limits: what was used longest ago goes first, and what is over or left goes by itself."""

from __future__ import annotations

import itertools
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterable

from dash_stash import keys
from dash_stash.errors import StoreUnavailable
from dash_stash.layout import Entry
from dash_stash.stores.base import Limits, holder_of
from dash_stash.stores.local.index import Index
from dash_stash.stores.local.locks import locked
from dash_stash.stores.local.place import TRUSTED, Place, available
from dash_stash.stores.local.slots import Slots

_log = logging.getLogger("dash_stash")

_FEW = 64

_ENDED_PER_SESSION = 10
"""How many ended sessions are remembered at most, for each that there may be: nobody fills the disk by logging out."""

SWEEP_EVERY = 10.0
"""Seconds between two sweeps."""

AT_ONCE = 1000
"""What is over is removed so many entries at a time."""

GRACE = 30.0
"""Seconds that the data of a page or tab outlives its closing: a reload closes a tab, too."""


class Housekeeping:
    """Removes what a store is not to keep."""

    def __init__(self, place: Place, limits: Limits) -> None:
        """Take the store's place and what it may hold."""
        self.place, self._limits = place, limits
        self._process = 0

    # Budgets

    def evict(self, now: float) -> None:
        """Remove sessions, then entries, that were used longest ago until the budgets are kept."""
        slots, index, limits = self.place.ready(now), self.place.index(), self._limits

        def are_too_many_sessions() -> bool:
            return index.totals().sessions > limits.max_sessions

        def is_too_much() -> bool:
            totals = index.totals()
            return totals.bytes > limits.max_bytes or totals.entries > limits.max_entries

        def are_too_many_ended() -> bool:
            return index.totals().ended > _ENDED_PER_SESSION * limits.max_sessions

        while are_too_many_sessions() and self._drop_idle_sessions(are_too_many_sessions, slots, index, now):
            pass
        while is_too_much() and self._drop_oldest(is_too_much, index.least_recently_used, slots, index, now):
            pass
        while are_too_many_ended() and self._drop_oldest(are_too_many_ended, index.ended_first, slots, index, now):
            pass

    def make_room_for(self, entry: Entry, now: float) -> bool:
        """Remove what an entry's session or user has and can compute again, and used longest ago; False if there is nothing."""
        slots, index = self.place.ready(now), self.place.index()

        def is_too_much() -> bool:
            return not index.has_room_for(entry, self._limits.max_session_bytes)

        def oldest_first(limit: int) -> list[tuple[bytes, float]]:
            return index.least_recently_computed(holder_of(entry.facts.scope), limit)

        return self._drop_oldest(is_too_much, oldest_first, slots, index, now)

    def _drop_idle_sessions(self, are_too_many: Callable[[], bool], slots: Slots, index: Index, now: float) -> bool:
        """Remove all that sessions have that were used longest ago, of a few at most; False if that changes nothing."""
        sessions = index.idle_sessions(_FEW)
        used_since = [(holder, use) for holder, used in sessions if (use := _last_use(slots, scope_key(holder), now)) > used]
        if used_since:
            index.note_scope_use(used_since)
            return True
        dropped = False
        for holder, _ in sessions:
            if not are_too_many():
                return True
            dropped |= self._drop_all(index.within(holder), slots, index, now)
        return dropped or sessions != index.idle_sessions(_FEW)

    def _drop_oldest(
        self,
        is_too_much: Callable[[], bool],
        oldest_first: Callable[[int], list[tuple[bytes, float]]],
        slots: Slots,
        index: Index,
        now: float,
    ) -> bool:
        """Remove entries that were used longest ago, a few at most; False if that changes nothing."""
        oldest = oldest_first(_FEW)
        used_since = [(key, use) for key, used in oldest if (use := _last_use(slots, key, now)) > used]
        if used_since:
            # The index learns of reads only now; the next round knows better who is oldest.
            index.note_use(used_since)
            return True
        dropped = False
        for entry in oldest:
            if not is_too_much():
                return True
            dropped |= self._drop_all([entry], slots, index, now)
        # Others remove the oldest, too, at the same time: then there is room all the same, or others are the oldest now.
        return dropped or oldest != oldest_first(_FEW)

    def _drop_all(self, entries: Iterable[tuple[bytes, float]], slots: Slots, index: Index, now: float) -> bool:
        """Remove entries, but for those that somebody is just writing, or has used since; whether any was."""
        dropped = 0
        # Those under one lock together: to take it, and to begin a transaction, is most of the work.
        for _, group in itertools.groupby(sorted(entries), lambda entry: self.place.commit_lock(entry[0])):
            together = list(group)
            with locked(self.place.commit_lock(together[0][0]), wait=False) as had:
                for key in index.remove_unless_renewed(together, now) if had else ():
                    self.place.unlink(key, slots)
                    dropped += 1
        return dropped > 0

    # By itself

    def start(self) -> None:
        """See that a thread of this process sweeps now and then, as long as this object lives."""
        if self._process == os.getpid():
            return
        self._process = os.getpid()  # a forked child has none of its parent's threads
        stop = threading.Event()
        weakref.finalize(self, stop.set)
        thread = threading.Thread(target=_sweep_now_and_then, args=(weakref.ref(self), stop), name="dash-stash janitor", daemon=True)
        try:
            thread.start()
        except BaseException:  # by a signal handler, too
            self._process = 0
            raise

    @available
    def sweep(self) -> bool:
        """Remove what is over, what nobody comes back for, and what the dead have left.

        One process or thread at a time does it; False if another is at it.
        """
        now = self.place.clock()
        slots, index = self.place.ready(now), self.place.index()
        with locked(self.place.folder / "sweep", wait=False) as had:
            if not had:
                return False
            self._drop_all(index.gone(now, AT_ONCE), slots, index, now)
            before = now - self._limits.idle
            idle = index.idle_scopes(before, AT_ONCE)
            uses = [(scope, slots.last_use(scope_key(scope))) for scope, _ in idle]
            index.note_scope_use([(scope, use) for scope, use in uses if use >= before])
            for scope, use in uses:
                if use < before:
                    self._drop_all([(key, used) for key, used in index.of_scope(scope) if used < before], slots, index, now)
            for scope, since in index.left(now - GRACE, AT_ONCE):
                if slots.last_use(scope_key(scope)) <= since:
                    self._drop_all(index.of_scope(scope), slots, index, now)
                index.stay(scope)
            self.place.remove_abandoned()
        return True


def scope_key(scope: str) -> bytes:
    """Return what the uses of a scope are noted under."""
    return keys.digest(b"scope", scope.encode())


def _last_use(slots: Slots, key: bytes, now: float) -> float:
    """When an entry was last used. Uses are noted only so often: one that was noted lately may still be going on."""
    use = slots.last_use(key)
    return now if now - use < TRUSTED else use


def _sweep_now_and_then(reference: weakref.ref[Housekeeping], stop: threading.Event) -> None:
    while (housekeeping := reference()) is not None:
        try:
            housekeeping.sweep()
        except StoreUnavailable as error:
            _log.debug("nothing is swept now: %s", error)
        del housekeeping
        if stop.wait(SWEEP_EVERY):
            return
