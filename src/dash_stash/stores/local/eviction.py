"""Eviction: keeps a store within its budgets; what is cheapest to get again is evicted first."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable

from dash_stash import keys
from dash_stash.entries import PUTS, Entry, class_of
from dash_stash.owner import Owner, account_of
from dash_stash.stores.base import TOUCHED_EVERY, Limits
from dash_stash.stores.local.handle import TRUSTED, FolderHandle
from dash_stash.stores.local.index import Index
from dash_stash.stores.local.locks import locked
from dash_stash.stores.local.slots import Slots

_FEW = 64

_SLOTS_OF_OWNER = 4

_Drop = Callable[[Callable[[], bool], Slots, Index, float], bool]


class Evictor:
    """Removes entries from a store that exceeds its budgets."""

    def __init__(self, handle: FolderHandle, limits: Limits) -> None:
        """Take the store's folder, and its limits."""
        self.handle, self._limits = handle, limits

    def evict(self, now: float) -> None:
        """Remove entries until all budgets are kept, in the order that `stores.base` describes."""
        slots, index = self.handle.ready(now), self.handle.index()
        if not self._exceeded(index):  # nearly always
            return
        kept: set[str] = set()
        for budget, drop in self._steps(index, now):
            if budget in kept:
                continue
            is_too_much = functools.partial(self._is_exceeded, budget, index)
            while is_too_much():
                if not drop(is_too_much, slots, index, now):
                    break
            else:
                # Another process may store more before the next step: what is worth more must not
                # be evicted for that.
                kept.add(budget)

    def _steps(self, index: Index, now: float) -> tuple[tuple[str, _Drop], ...]:
        """Return the steps, in their order, each with the budget that it helps to keep."""
        values_first = functools.partial(index.values_first, now - self._limits.idle)
        return (
            ("new sessions", self._drop_new_sessions),
            ("sessions", self._drop_new_sessions),
            ("sessions", self._drop_idle_sessions),
            ("room", functools.partial(self._drop_oldest, values_first)),
            ("room", self._drop_new_sessions),
            ("room", functools.partial(self._drop_oldest, index.puts_first)),
            ("room", functools.partial(self._drop_oldest, index.variables_first)),
            ("ended", functools.partial(self._drop_oldest, index.ended_first)),
        )

    def _is_exceeded(self, budget: str, index: Index) -> bool:
        return budget in self._exceeded(index)

    def _exceeded(self, index: Index) -> set[str]:
        """Return the budgets that are exceeded."""
        totals, limits = index.totals(), self._limits
        kept = {
            "room": totals.bytes <= limits.max_bytes and totals.entries <= limits.max_entries,
            "sessions": totals.sessions <= limits.max_sessions,
            "new sessions": totals.new_sessions <= limits.max_new_sessions,
            "ended": totals.ended <= limits.max_ended,
        }
        return {budget for budget, is_kept in kept.items() if not is_kept}

    def make_room_for(self, entry: Entry, now: float) -> bool:
        """Remove the cheapest entries of an entry's session or user.

        Variables are worth more than anything new: they are never removed. If the entry would not
        fit even so, nothing is removed.

        Returns:
            Whether anything changed; if not, what is left is worth more than the entry.
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
            return index.cheapest_first(account_of(entry.facts.owner), most, limit)

        return index.can_make_room_for(entry, most, budget) and self._drop_oldest(
            cheapest_first, is_too_much, slots, index, now
        )

    def _drop_new_sessions(
        self, are_too_many: Callable[[], bool], slots: Slots, index: Index, now: float
    ) -> bool:
        """Remove all data of sessions that were seen in only one request.

        Only now is it checked whether a session was seen again: it was, if it was used after it had
        stored something, or in the minute before that (a process notes uses only once a minute).

        Returns:
            Whether anything changed.
        """
        sessions = index.new_sessions(_FEW)
        returned = [
            account
            for account, since in sessions
            if slots.last_use(owner_key(account)) > since - TOUCHED_EVERY
        ]
        if returned:
            index.note_return(returned)
            return True
        dropped = self._drop_sessions(
            [account for account, _ in sessions], are_too_many, slots, index, now
        )
        return dropped or sessions != index.new_sessions(_FEW)

    def _drop_idle_sessions(
        self, are_too_many: Callable[[], bool], slots: Slots, index: Index, now: float
    ) -> bool:
        """Remove all data of the few sessions that were used longest ago.

        Returns:
            Whether anything changed.
        """
        sessions = index.idle_sessions(_FEW)
        used_since = [
            (account, use)
            for account, used in sessions
            if (use := _last_use(slots, owner_key(account), now)) > used
        ]
        if used_since:
            index.note_owner_use(used_since)
            return True
        dropped = self._drop_sessions(
            [account for account, _ in sessions], are_too_many, slots, index, now
        )
        return dropped or sessions != index.idle_sessions(_FEW)

    def _drop_sessions(
        self,
        accounts: Iterable[Owner],
        are_too_many: Callable[[], bool],
        slots: Slots,
        index: Index,
        now: float,
    ) -> bool:
        """Remove all data of sessions, one after the other, as long as there are too many.

        Returns:
            Whether anything was removed.
        """
        dropped = False
        for account in accounts:
            if not are_too_many():
                return True
            dropped |= self.drop_all(index.within(account), slots, index, now)
        return dropped

    def _drop_oldest(
        self,
        oldest_first: Callable[[int], list[tuple[bytes, float]]],
        is_too_much: Callable[[], bool],
        slots: Slots,
        index: Index,
        now: float,
    ) -> bool:
        """Remove the few entries that were used longest ago.

        Returns:
            Whether anything changed.
        """
        oldest = oldest_first(_FEW)
        used_since = [
            (key, use) for key, used in oldest if (use := _last_use(slots, key, now)) > used
        ]
        if used_since:
            # The index learns of reads only now; the next round knows better which are the oldest.
            index.note_use(used_since)
            return True
        dropped = False
        for entry in oldest:
            if not is_too_much():
                return True
            dropped |= self.drop_all([entry], slots, index, now)
        # Another process may have removed the same entries: then there is room all the same, or
        # other entries are the oldest now.
        return dropped or oldest != oldest_first(_FEW)

    def drop_all(
        self, entries: Iterable[tuple[bytes, float]], slots: Slots, index: Index, now: float
    ) -> bool:
        """Remove entries, unless somebody is writing them now, or has used them since.

        Returns:
            Whether any was removed.
        """
        dropped = 0
        # All entries with one lock together: taking it and beginning a transaction is most of the
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


def owner_key(owner: Owner) -> bytes:
    """Return the key under which the uses of an owner are noted.

    It leads to several slots: an owner that nobody uses counts as used only if all of them are
    shared by others in use.
    """
    return b"".join(
        keys.digest(b"owner", bytes([number]), owner.encode()) for number in range(_SLOTS_OF_OWNER)
    )


def _last_use(slots: Slots, key: bytes, now: float) -> float:
    """Return when an entry was last used.

    Uses are noted at most once in `TRUSTED` seconds: what was used then may be in use now.
    """
    use = slots.last_use(key)
    return now if now - use < TRUSTED else use
