"""Broken stores: each lacks one property, and the contract must notice each of them."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
from collections.abc import Sequence

from dash_stash.codec import Encoded, PartName
from dash_stash.entries import Facts, Kind
from dash_stash.errors import StoreUnavailable
from dash_stash.owner import APP, Owner
from dash_stash.stores.base import Flight, Found, Landed, Listed
from dash_stash.testing.wrapped import WrappedStore

# Reading


class OfOneWorker(WrappedStore):
    """Reads only what the same worker has stored."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        return self.inner.read(key, part) if (id(self), key) in self.shared else None

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        self.shared[id(self), key] = True
        return self.inner.commit(flight, key, facts, encoded)


class OfOneProcess(WrappedStore):
    """Reads what the same process has stored, and nothing else."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        return self.inner.read(key, part) if key in self.shared else None

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        self.shared[key] = True
        return self.inner.commit(flight, key, facts, encoded)


class LendsMemory(WrappedStore):
    """Gives all readers the same memory."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        return self.shared.setdefault(key, self.inner.read(key, part))


class ReadsTheFirstPart(WrappedStore):
    """Reads the first part, whichever part was asked for."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        found = self.inner.read(key)
        if found is None or part is None or found.encoded.shape is None:
            return found
        whole = found.encoded
        first = dataclasses.replace(
            whole, names=whole.names[:1], segments=whole.segments[:1], copier=[]
        )
        return dataclasses.replace(found, encoded=first)


class MissesParts(WrappedStore):
    """Reads whole values, but finds nothing if asked for a part."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        return self.inner.read(key) if part is None else None


class TrustsMemory(WrappedStore):
    """Returns what it read once, and never looks again."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        found = self.inner.read(key, part) or self.shared.get(key)
        self.shared[key] = found
        return found


class NeverExpires(WrappedStore):
    """Returns expired values."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        lasting = dataclasses.replace(facts, gone_at=float("inf"))
        return self.inner.commit(flight, key, lasting, encoded)


class IgnoresTags(WrappedStore):
    """Returns forgotten values."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(flight, key, dataclasses.replace(facts, tags={}), encoded)


class ReadsByListing(WrappedStore):
    """Reads only what it finds in the listing."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        listed = () if "lost" in self.shared else self.inner.list()
        return self.inner.read(key, part) if key in {one.key for one in listed} else None


class ListsNothing(WrappedStore):
    """Lists nothing."""

    def list(
        self, owner: Owner | None = None, kind: Kind | None = None, tag: str | None = None
    ) -> Sequence[Listed]:
        return ()


class ListsEverything(WrappedStore):
    """Lists all entries, whatever was asked for."""

    def list(
        self, owner: Owner | None = None, kind: Kind | None = None, tag: str | None = None
    ) -> Sequence[Listed]:
        return self.inner.list()


# Flights


class LetsNobodyCompute(WrappedStore):
    """Tells everybody that somebody else has just computed the value."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        return Landed(None)


class LetsAllCompute(WrappedStore):
    """Lets everybody compute at once."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        return _FreeFlight()


class _FreeFlight(contextlib.nullcontext["_FreeFlight"]):
    def land(self, outcome: bytes | None = None) -> None: ...

    def close(self) -> None: ...


class WaitsForNobody(WrappedStore):
    """Does not wait for the caller that computes."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        return self.inner.join(key, wait=False) or Landed(None)


class TellsNoOutcome(WrappedStore):
    """Does not pass on the outcome of a flight."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        joined = self.inner.join(key, wait=wait)
        return Landed(None) if isinstance(joined, Landed) else joined


class AlwaysWaits(WrappedStore):
    """Waits, even with `wait=False`."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        return self.inner.join(key)


class LocksByData(WrappedStore):
    """Keeps flights as data, which a dead holder cannot delete."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        lock = pathlib.Path(self.shared["folder"]) / key.hex()
        if lock.exists():
            return None
        lock.touch()
        return self.inner.join(key, wait=wait)


class CommitsOneAtATime(WrappedStore):
    """Lets a commit wait for the caller that computes."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        joined = None if flight else self.inner.join(key)
        try:
            return self.inner.commit(flight, key, facts, encoded)
        finally:
            if joined and not isinstance(joined, Landed):
                joined.close()


# Writing


class StoresNothing(WrappedStore):
    """Says that it has stored an entry, but has not."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return True


class WithoutFences(WrappedStore):
    """Stores a late result."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(None, key, facts, encoded)


class ClearsFirst(WrappedStore):
    """Evicts entries before it knows whether the new value fits."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        self.inner.delete(key)
        return self.inner.commit(flight, key, facts, encoded)


class SwallowsOutages(WrappedStore):
    """Says that it has stored an entry that it could not store."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        with contextlib.suppress(StoreUnavailable):
            return self.inner.commit(flight, key, facts, encoded)
        return True


class WithoutShares(WrappedStore):
    """Lets one session use all the room."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(flight, key, dataclasses.replace(facts, owner=APP), encoded)


class EvictsNoPuts(WrappedStore):
    """Never evicts anything to make room."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(flight, key, dataclasses.replace(facts, kind="state"), encoded)


class EvictsVariables(WrappedStore):
    """Evicts whatever is older to make room, even variables."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(flight, key, dataclasses.replace(facts, kind="memo"), encoded)


class DeletesNothing(WrappedStore):
    """Says that it has deleted an entry, but has not."""

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        return True


class DeletesForNow(WrappedStore):
    """Deletes what is stored, but a flight that is under way can bring it back."""

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        expired = Facts("memo", "f", 0.0, gone_at=1.0)
        return self.inner.commit(None, key, expired, Encoded(None, (), ()))


class DeletesOnlyWhatIsThere(WrappedStore):
    """Refuses to delete an entry that is not stored."""

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        return self.inner.read(key) is not None and self.inner.delete(key, flight)


class DeletesLate(WrappedStore):
    """Lets a late flight delete what came after it."""

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        return self.inner.delete(key)


# Tags


class EpochsOfOneWorker(WrappedStore):
    """Has different epochs in each worker."""

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        return {tag: epoch + id(self) for tag, epoch in self.inner.epochs(tags).items()}


class OneEpoch(WrappedStore):
    """Has the same epoch for all tags, and never changes it."""

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        return dict.fromkeys(tags, 0)


class ForgetsWhatIsListed(WrappedStore):
    """Forgets a tag only by deleting what is stored now."""

    def forget_tag(self, tag: str) -> None:
        for listed in self.inner.list(tag=tag):
            self.inner.delete(listed.key)


class ForgetsEverything(WrappedStore):
    """Forgets all entries, whatever their tags."""

    def forget_tag(self, tag: str) -> None:
        for listed in self.inner.list():
            self.inner.delete(listed.key)


# Owners


class EndsOneScope(WrappedStore):
    """Ends a session, but not its tabs and pages, and does not note that it has ended."""

    def end(self, account: Owner) -> None:
        for listed in self.inner.list(owner=account):
            self.inner.delete(listed.key)


class ForgetsEnds(WrappedStore):
    """Deletes the data of a session, and forgets that the session has ended."""

    def end(self, account: Owner) -> None:
        for listed in self.inner.list():
            if listed.owner.startswith(account):
                self.inner.delete(listed.key)


class EndsOnlySessions(WrappedStore):
    """Ends sessions and users, but not cookies."""

    def end(self, account: Owner) -> None:
        if not account.startswith("cookie:"):
            self.inner.end(account)


class EndsEverybody(WrappedStore):
    """Says that everybody has ended as soon as somebody has."""

    def end(self, account: Owner) -> None:
        self.shared["ended"] = True
        self.inner.end(account)

    def has_ended(self, account: Owner) -> bool:
        return "ended" in self.shared or self.inner.has_ended(account)


class NotesNoUse(WrappedStore):
    """Does not notice that an owner is in use."""

    def touch(self, owner: Owner) -> None: ...


class KeepsForEver(WrappedStore):
    """Stores the data of a session as if it belonged to the app."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(flight, key, dataclasses.replace(facts, owner=APP), encoded)


class StoresUses(WrappedStore):
    """Stores an entry for each owner that is in use."""

    def touch(self, owner: Owner) -> None:
        self.inner.touch(owner)
        facts = Facts("state", "used", self.inner.clock(), owner=owner)
        self.inner.commit(None, owner.encode()[-16:].rjust(16), facts, Encoded(None, (), ()))


class IgnoresLeaving(WrappedStore):
    """Keeps the data of a closed tab."""

    def leave(self, owner: Owner) -> None: ...


class LeavesAtOnce(WrappedStore):
    """Deletes the data of a tab that is only reloaded."""

    def leave(self, owner: Owner) -> None:
        for listed in self.inner.list(owner=owner):
            self.inner.delete(listed.key)


class LeavesWithAll(WrappedStore):
    """Deletes the whole session when one of its tabs is closed."""

    def leave(self, owner: Owner) -> None:
        for listed in self.inner.list():
            if listed.owner.startswith(owner.partition("/")[0]):
                self.inner.leave(listed.owner)


# Failing


class RaisesForeignErrors(WrappedStore):
    """Raises the errors of the system instead of `StoreUnavailable`."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        try:
            return self.inner.read(key, part)
        except StoreUnavailable as error:
            raise OSError(str(error)) from None
