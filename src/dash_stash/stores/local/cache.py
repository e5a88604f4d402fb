"""What a process remembers of entries that it has checked: most hits need no look at the folder."""

from __future__ import annotations

from dataclasses import dataclass

from dash_stash.entries import Entry
from dash_stash.stores.base import Found
from dash_stash.stores.local import files
from dash_stash.stores.local.files import EntryFile, Identity
from dash_stash.stores.local.handle import TRUSTED
from dash_stash.stores.local.slots import epoch_slot, version_slot

SMALL = 64 * 1024
"""Up to this size an entry, or the head of a larger one, is kept in memory."""

CACHED = 512
"""How many entries a process remembers: 64 MiB of them at most."""

MAPPED = 256 * 1024
"""From this size on an entry is mapped.

A map may hold a file descriptor as long as the value lives, and of those there are few.
"""

OPEN_FILES = 16
"""How many mapped entries are also kept open, which spares a third of reading them."""


@dataclass(slots=True)
class CachedEntry:
    """An entry that this process has checked."""

    entry: Entry
    identity: Identity
    head: bytes | None
    """The head as its seal was checked; None if it is too big to be kept."""

    body: bytes | None
    """The whole entry, if it is small."""

    found: Found | None
    """What all readers may share, if nothing in it can be written to."""

    watched: tuple[tuple[int, int], ...] = ()
    """The slots of its version and of its tags' epochs, with the values that they must have."""

    since: float = float("inf")
    until: float = float("-inf")
    """For how long it is trusted. A clock that is set back ends that, too."""

    @classmethod
    def of(cls, entry: Entry, identity: Identity, head: bytes, body: bytes | None) -> CachedEntry:
        """Remember a checked entry, which is not trusted yet."""
        found = found_in(entry, head, body) if body is not None and not entry.has_buffers else None
        return cls(entry, identity, head if len(head) <= SMALL else None, body, found)

    def load(self, file: EntryFile | None) -> Found | None:
        """Return memory for one reader, without a look at the folder, perhaps from its open file.

        None if only the folder can tell.
        """
        if self.body is not None:
            return found_in(self.entry, self.head, bytearray(self.body))
        if self.head is None or file is None or file.identity != self.identity:
            return None
        return found_in(self.entry, self.head, files.private_map(file.descriptor))

    def trust(self, version: int, now: float) -> None:
        """Trust it for a while, if this is still the version of its key."""
        facts = self.entry.facts
        self.watched = (
            (version_slot(self.entry.key), version),
            *((epoch_slot(tag), epoch) for tag, epoch in facts.tags.items()),
        )
        self.since, self.until = now, min(now + TRUSTED, facts.gone_at)


def found_in(entry: Entry, head: bytes | None, body: bytes | bytearray | memoryview) -> Found:
    """Return what a reader gets, of an entry's checked head and all of its bytes."""
    assert head is not None  # noqa: S101 (whoever keeps a body keeps its head)
    return Found(entry, entry.encoded(memoryview(head), memoryview(body)))
