"""Keeping a store within its limits: what is cheapest to have again goes first, and what has expired or was left goes by itself."""

from __future__ import annotations

import functools
import itertools
import logging
import os
import secrets
import threading
import weakref
from collections.abc import Callable, Iterable

from dash_stash import keys
from dash_stash.entries import PUTS, Entry, class_of
from dash_stash.errors import StoreUnavailable
from dash_stash.stores.base import TOUCHED_EVERY, Limits, holder_of
from dash_stash.stores.local.files import EntryFile
from dash_stash.stores.local.handle import TRUSTED, FolderHandle, available
from dash_stash.stores.local.index import Index
from dash_stash.stores.local.locks import locked
from dash_stash.stores.local.slots import Slots

_log = logging.getLogger("dash_stash")

_FEW = 64

SWEEP_EVERY = 10.0
"""Seconds between two sweeps."""

AT_ONCE = 1000
"""What is over is removed so many entries at a time."""

GRACE = 30.0
"""Seconds that the data of a page or tab outlives its closing: a reload closes a tab, too."""

_Drop = Callable[[Callable[[], bool], Slots, Index, float], bool]


class Janitor:
    """Removes what a store is not to keep."""

    def __init__(
        self, handle: FolderHandle, limits: Limits, open_files: dict[bytes, EntryFile]
    ) -> None:
        """Take the store's place, what it may hold, and which of its files this process keeps open."""
        self.handle, self._limits, self.open_files = handle, limits, open_files
        self._process = 0
        self._folders = itertools.cycle(secrets.SystemRandom().sample(range(256), 256))
        _all.add(self)

    # Budgets

    def evict(self, now: float) -> None:
        """Remove what is cheapest to have again until the budgets are kept: `stores.base` has the order."""
        slots, index = self.handle.ready(now), self.handle.index()
        if not self._exceeded(index):  # nearly always
            return

        def values_first(limit: int) -> list[tuple[bytes, float]]:
            return index.values_first(now - self._limits.idle, limit)

        steps: tuple[tuple[str, _Drop], ...] = (
            ("new sessions", self._drop_new_sessions),
            ("sessions", self._drop_new_sessions),
            ("sessions", self._drop_idle_sessions),
            ("room", functools.partial(self._drop_oldest, values_first)),
            ("room", self._drop_new_sessions),
            ("room", functools.partial(self._drop_oldest, index.puts_first)),
            ("room", functools.partial(self._drop_oldest, index.variables_first)),
            ("ended", functools.partial(self._drop_oldest, index.ended_first)),
        )
        kept: set[str] = set()
        for budget, drop in steps:
            if budget in kept:
                continue

            def is_too_much(budget: str = budget) -> bool:
                return budget in self._exceeded(index)

            while is_too_much():
                if not drop(is_too_much, slots, index, now):
                    break
            else:
                # Should another process have stored more by the next step, what is worth more must
                # not go for that.
                kept.add(budget)

    def _exceeded(self, index: Index) -> set[str]:
        """The budgets that are not kept."""
        totals, limits = index.totals(), self._limits
        kept = {
            "room": totals.bytes <= limits.max_bytes and totals.entries <= limits.max_entries,
            "sessions": totals.sessions <= limits.max_sessions,
            "new sessions": totals.new_sessions <= limits.max_new_sessions,
            "ended": totals.ended <= limits.max_ended,
        }
        return {budget for budget, is_kept in kept.items() if not is_kept}

    def make_room_for(self, entry: Entry, now: float) -> bool:
        """Remove the cheapest of what an entry's session or user has.

        False if what is left is worth more than the entry.

        Variables are worth more than whatever is new: they make room for nothing. If it would not
        fit even so, nothing is removed.
        """
        slots, index, budget = (
            self.handle.ready(now),
            self.handle.index(),
            self._limits.max_session_bytes,
        )
        most = min(class_of(entry.facts.kind), PUTS)

        def is_too_much() -> bool:
            return not index.has_room_for(entry, budget)

        def cheapest_first(limit: int) -> list[tuple[bytes, float]]:
            return index.cheapest_first(holder_of(entry.facts.scope), most, limit)

        return index.can_make_room_for(entry, most, budget) and self._drop_oldest(
            cheapest_first, is_too_much, slots, index, now
        )

    def _drop_new_sessions(
        self, are_too_many: Callable[[], bool], slots: Slots, index: Index, now: float
    ) -> bool:
        """Remove all that sessions have that were seen in one request only.

        False if that changes nothing.

        Whether one was seen again is looked up only now. It is when it was used since it stored
        something, or in the minute before: so often, at most, a process notes that.
        """
        sessions = index.new_sessions(_FEW)
        returned = [
            holder
            for holder, since in sessions
            if slots.last_use(scope_key(holder)) > since - TOUCHED_EVERY
        ]
        if returned:
            index.note_return(returned)
            return True
        dropped = self._drop_sessions(
            [holder for holder, _ in sessions], are_too_many, slots, index, now
        )
        return dropped or sessions != index.new_sessions(_FEW)

    def _drop_idle_sessions(
        self, are_too_many: Callable[[], bool], slots: Slots, index: Index, now: float
    ) -> bool:
        """Remove all that sessions have that were used longest ago, of a few at most.

        False if that changes nothing.
        """
        sessions = index.idle_sessions(_FEW)
        used_since = [
            (holder, use)
            for holder, used in sessions
            if (use := _last_use(slots, scope_key(holder), now)) > used
        ]
        if used_since:
            index.note_scope_use(used_since)
            return True
        dropped = self._drop_sessions(
            [holder for holder, _ in sessions], are_too_many, slots, index, now
        )
        return dropped or sessions != index.idle_sessions(_FEW)

    def _drop_sessions(
        self,
        holders: Iterable[str],
        are_too_many: Callable[[], bool],
        slots: Slots,
        index: Index,
        now: float,
    ) -> bool:
        """Remove all that sessions have, one by one as long as there are too many.

        Whether anything was removed.
        """
        dropped = False
        for holder in holders:
            if not are_too_many():
                return True
            dropped |= self._drop_all(index.within(holder), slots, index, now)
        return dropped

    def _drop_oldest(
        self,
        oldest_first: Callable[[int], list[tuple[bytes, float]]],
        is_too_much: Callable[[], bool],
        slots: Slots,
        index: Index,
        now: float,
    ) -> bool:
        """Remove entries that were used longest ago, a few at most.

        False if that changes nothing.
        """
        oldest = oldest_first(_FEW)
        used_since = [
            (key, use) for key, used in oldest if (use := _last_use(slots, key, now)) > used
        ]
        if used_since:
            # The index learns of reads only now; the next round knows better who is oldest.
            index.note_use(used_since)
            return True
        dropped = False
        for entry in oldest:
            if not is_too_much():
                return True
            dropped |= self._drop_all([entry], slots, index, now)
        # Others remove the oldest, too, at the same time: then there is room all the same, or
        # others are the oldest now.
        return dropped or oldest != oldest_first(_FEW)

    def _drop_all(
        self, entries: Iterable[tuple[bytes, float]], slots: Slots, index: Index, now: float
    ) -> bool:
        """Remove entries, but for those that somebody is just writing, or has used since.

        Whether any was.
        """
        dropped = 0
        # Those under one lock together: to take it, and to begin a transaction, is most of the
        # work.
        for _, group in itertools.groupby(
            sorted(entries), lambda entry: self.handle.commit_lock(entry[0])
        ):
            together = list(group)
            with locked(self.handle.commit_lock(together[0][0]), wait=False) as had:
                for key in index.remove_unless_renewed(together, now) if had else ():
                    self.handle.unlink(key, slots)
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
        thread = threading.Thread(
            target=_sweep_now_and_then,
            args=(weakref.ref(self), stop),
            name="dash-stash janitor",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError:
            pass  # the process is about to end
        except BaseException:  # by a signal handler
            self._process = 0
            raise

    def let_go(self) -> None:
        """Close the files that have been deleted: until then they take room, beyond all budgets."""
        for key, file in tuple(self.open_files.items()):
            if file.is_unlinked:
                self.open_files.pop(key, None)

    @available
    def sweep(self) -> bool:
        """Remove what is over, what nobody comes back for, and what the dead have left.

        One process or thread at a time does it; False if another is at it.
        """
        now = self.handle.clock()
        slots, index = self.handle.ready(now), self.handle.index()
        with locked(self.handle.folder / "sweep", wait=False) as had:
            if not had:
                return False
            self._drop_all(index.gone(now, AT_ONCE), slots, index, now)
            before = now - self._limits.idle
            idle = index.idle_scopes(before, AT_ONCE)
            uses = [(scope, slots.last_use(scope_key(scope))) for scope, _ in idle]
            index.note_scope_use([(scope, use) for scope, use in uses if use >= before])
            for scope, use in uses:
                if use < before:
                    self._drop_all(
                        [(key, used) for key, used in index.of_scope(scope) if used < before],
                        slots,
                        index,
                        now,
                    )
            for scope, since in index.left(now - GRACE, AT_ONCE):
                if slots.last_use(scope_key(scope)) <= since:
                    self._drop_all(index.of_scope(scope), slots, index, now)
                index.stay(scope)
            self._compare(next(self._folders), index, now)
            self.handle.remove_abandoned()
        return True

    def _compare(self, first: int, index: Index, now: float) -> None:
        """See that the index has the entries whose keys begin with the byte *first*, and no others.

        A process that died between two steps, or a power loss, leaves a file that is not in the
        index, and so would never be evicted. One byte at each sweep, so that this costs little: all
        are seen in less than an hour.
        """
        if self.handle.stored(first) == index.beginning_with(first):
            return
        with locked(self.handle.commit_lock(bytes([first])), wait=False) as had:
            if had:
                stored, known = self.handle.stored(first), index.beginning_with(first)
                index.remove(known - stored)
                index.add(self.handle.described(stored - known), now)


_SLOTS_OF_SCOPE = 4


def _let_go_in_child() -> None:
    # The janitor is not forked. What the child reads it opens again, and with that it has a janitor
    # of its own.
    for janitor in tuple(_all):
        janitor.open_files.clear()


_all: weakref.WeakSet[Janitor] = weakref.WeakSet()
os.register_at_fork(after_in_child=_let_go_in_child)


def scope_key(scope: str) -> bytes:
    """Return what the uses of a scope are noted under.

    It is noted in several slots: a scope that nobody uses counts as used only if others, which are
    used, share all of them.
    """
    return b"".join(
        keys.digest(b"scope", bytes([number]), scope.encode()) for number in range(_SLOTS_OF_SCOPE)
    )


def _last_use(slots: Slots, key: bytes, now: float) -> float:
    """When an entry was last used.

    Uses are noted only so often: one that was noted lately may still be going on.
    """
    use = slots.last_use(key)
    return now if now - use < TRUSTED else use


def _sweep_now_and_then(reference: weakref.ref[Janitor], stop: threading.Event) -> None:
    while (janitor := reference()) is not None:
        janitor.let_go()
        try:
            janitor.sweep()
        except StoreUnavailable as error:
            _log.debug("nothing is swept now: %s", error)
        del janitor
        if stop.wait(SWEEP_EVERY):
            return
