"""The janitor: removes what has expired, what nobody uses, and what the dead have left."""

from __future__ import annotations

import itertools
import logging
import os
import secrets
import weakref

from dash_stash.bounded import BoundedTable
from dash_stash.errors import StoreUnavailable
from dash_stash.stores.base import GRACE, Limits
from dash_stash.stores.local.eviction import Evictor, owner_key
from dash_stash.stores.local.files import EntryFile
from dash_stash.stores.local.handle import FolderHandle, available
from dash_stash.stores.local.index import Index
from dash_stash.stores.local.locks import locked
from dash_stash.stores.local.slots import Slots
from dash_stash.threads import BackgroundThread

_log = logging.getLogger("dash_stash")

SWEEP_EVERY = 10.0
"""Seconds between two sweeps."""

AT_ONCE = 1000
"""How many expired entries one sweep removes at most."""


class Janitor:
    """Sweeps a store every few seconds, in one thread of each process that has it open."""

    def __init__(
        self,
        handle: FolderHandle,
        limits: Limits,
        evictor: Evictor,
        open_files: BoundedTable[bytes, EntryFile],
    ) -> None:
        """Take the store's folder, its limits, and the files that this process keeps open."""
        self.handle, self._limits, self._evictor = handle, limits, evictor
        self.open_files = open_files
        self._folders = itertools.cycle(secrets.SystemRandom().sample(range(256), 256))
        self._thread = BackgroundThread("dash-stash janitor", self, Janitor._work)
        _all.add(self)

    def start(self) -> None:
        """Start the thread, unless this process has it."""
        self._thread.start()

    def _work(self) -> float:
        self.let_go()
        try:
            self.sweep()
        except StoreUnavailable as error:
            _log.debug("nothing is swept now: %s", error)
        return SWEEP_EVERY

    def let_go(self) -> None:
        """Close the files that have been deleted: until then they take room beyond all budgets."""
        for key, file in self.open_files.items():
            if file.is_unlinked:
                self.open_files.pop(key, None)

    @available
    def sweep(self) -> bool:
        """Remove what has expired, what nobody comes back for, and what the dead have left.

        Returns:
            False if another process or thread is sweeping: one at a time does.
        """
        now = self.handle.clock()
        slots, index = self.handle.ready(now), self.handle.index()
        with locked(self.handle.folder / "sweep", wait=False) as had:
            if not had:
                return False
            self._evictor.drop_all(index.gone(now, AT_ONCE), slots, index, now)
            self._drop_idle(slots, index, now)
            self._drop_left(slots, index, now)
            self._compare(next(self._folders), index, now)
            self.handle.remove_abandoned()
        return True

    def _drop_idle(self, slots: Slots, index: Index, now: float) -> None:
        """Remove the data of owners that nobody has used for `Limits.idle`."""
        before = now - self._limits.idle
        idle = index.idle_owners(before, AT_ONCE)
        uses = [(owner, slots.last_use(owner_key(owner))) for owner, _ in idle]
        index.note_owner_use([(owner, use) for owner, use in uses if use >= before])
        for owner, use in uses:
            if use < before:
                unused = [(key, used) for key, used in index.of_owner(owner) if used < before]
                self._evictor.drop_all(unused, slots, index, now)

    def _drop_left(self, slots: Slots, index: Index, now: float) -> None:
        """Remove the data of owners that were left and not used since."""
        for owner, since in index.left(now - GRACE, AT_ONCE):
            if slots.last_use(owner_key(owner)) <= since:
                self._evictor.drop_all(index.of_owner(owner), slots, index, now)
            index.stay(owner)

    def _compare(self, first: int, index: Index, now: float) -> None:
        """Make the index list the entries whose keys begin with the byte *first*, and no others.

        A process that died between two steps, or a power loss, leaves a file that the index does
        not list, and that would never be evicted. Each sweep compares one byte, so that this costs
        little; all are compared in less than an hour.
        """
        if self.handle.stored(first) == index.beginning_with(first):
            return
        with locked(self.handle.commit_lock(bytes([first])), wait=False) as had:
            if had:
                stored, known = self.handle.stored(first), index.beginning_with(first)
                index.remove(known - stored)
                index.add(self.handle.described(stored - known), now)


def _let_go_in_child() -> None:
    # The janitor is not forked. What the child reads it opens again, and with that it gets a
    # janitor of its own.
    for janitor in tuple(_all):
        janitor.open_files.clear()


_all: weakref.WeakSet[Janitor] = weakref.WeakSet()
os.register_at_fork(after_in_child=_let_go_in_child)
