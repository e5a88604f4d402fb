"""Stores that lack one property each: the contract has to notice every one of them."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

from dash_stash.clock import Clock
from dash_stash.codec import Encoded, PartName
from dash_stash.entries import Facts, Kind
from dash_stash.errors import StoreUnavailable
from dash_stash.owner import APP, Owner
from dash_stash.stores.base import Flight, Found, Landed, Listed, Store


class WrappedStore:
    """A store that does what the one inside it does."""

    def __init__(self, store: Store, shared: dict[Any, Any]) -> None:
        """Take the store inside, and a dict that all workers share which open the place."""
        self.inner, self.shared = store, shared

    @property
    def clock(self) -> Clock:
        return self.inner.clock

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        return self.inner.read(key, part)

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        return self.inner.join(key, wait=wait)

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(flight, key, facts, encoded)

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        return self.inner.delete(key, flight)

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        return self.inner.epochs(tags)

    def forget_tag(self, tag: str) -> None:
        self.inner.forget_tag(tag)

    def list(
        self, owner: Owner | None = None, kind: Kind | None = None, tag: str | None = None
    ) -> Sequence[Listed]:
        return self.inner.list(owner, kind, tag)

    def end(self, account: Owner) -> None:
        self.inner.end(account)

    def has_ended(self, account: Owner) -> bool:
        return self.inner.has_ended(account)

    def touch(self, owner: Owner) -> None:
        self.inner.touch(owner)

    def leave(self, owner: Owner) -> None:
        self.inner.leave(owner)


# Reading


class OfOneWorker(WrappedStore):
    """Reads what the same worker has stored, and nothing else."""

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
    """Lets all readers have the same memory."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        return self.shared.setdefault(key, self.inner.read(key, part))


class ReadsTheFirstPart(WrappedStore):
    """Reads the first part, whichever is wanted."""

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
    """Reads whole values only."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        return self.inner.read(key) if part is None else None


class TrustsMemory(WrappedStore):
    """Goes on with what it once read, and does not look again."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        found = self.inner.read(key, part) or self.shared.get(key)
        self.shared[key] = found
        return found


class NeverExpires(WrappedStore):
    """Takes no value for expired."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        lasting = dataclasses.replace(facts, gone_at=float("inf"))
        return self.inner.commit(flight, key, lasting, encoded)


class IgnoresTags(WrappedStore):
    """Takes no value for forgotten."""

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
    """Lists everything, whatever was asked for."""

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
    """Does not wait for the one that computes."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        return self.inner.join(key, wait=False) or Landed(None)


class TellsNoOutcome(WrappedStore):
    """Does not tell how a flight ended."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        joined = self.inner.join(key, wait=wait)
        return Landed(None) if isinstance(joined, Landed) else joined


class AlwaysWaits(WrappedStore):
    """Waits even if the caller does not want to."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        return self.inner.join(key)


class LocksByData(WrappedStore):
    """Keeps flights as data that the dead cannot delete."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        lock = pathlib.Path(self.shared["folder"]) / key.hex()
        if lock.exists():
            return None
        lock.touch()
        return self.inner.join(key, wait=wait)


class CommitsOneAtATime(WrappedStore):
    """Waits with a commit for the one that computes."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        joined = None if flight else self.inner.join(key)
        try:
            return self.inner.commit(flight, key, facts, encoded)
        finally:
            if joined and not isinstance(joined, Landed):
                joined.close()


# Writing


class StoresNothing(WrappedStore):
    """Says that it has stored what it has not."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return True


class WithoutFences(WrappedStore):
    """Lets a late result in."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(None, key, facts, encoded)


class ClearsFirst(WrappedStore):
    """Makes room before it knows whether the new value fits."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        self.inner.delete(key)
        return self.inner.commit(flight, key, facts, encoded)


class SwallowsOutages(WrappedStore):
    """Says that it has stored what it could not."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        with contextlib.suppress(StoreUnavailable):
            return self.inner.commit(flight, key, facts, encoded)
        return True


class WithoutShares(WrappedStore):
    """Lets one session have everything."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(flight, key, dataclasses.replace(facts, owner=APP), encoded)


class EvictsNoPuts(WrappedStore):
    """Lets nothing make room for anything."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(flight, key, dataclasses.replace(facts, kind="state"), encoded)


class EvictsVariables(WrappedStore):
    """Lets whatever is older make room for anything."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(flight, key, dataclasses.replace(facts, kind="memo"), encoded)


class DeletesNothing(WrappedStore):
    """Says that it has deleted what it has not."""

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        return True


class DeletesForNow(WrappedStore):
    """Deletes what is stored, and lets a flight under way bring it back."""

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        expired = Facts("memo", "f", 0.0, gone_at=1.0)
        return self.inner.commit(None, key, expired, Encoded(None, (), ()))


class DeletesOnlyWhatIsThere(WrappedStore):
    """Says of what is not stored that it may not be deleted."""

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        return self.inner.read(key) is not None and self.inner.delete(key, flight)


class DeletesLate(WrappedStore):
    """Lets a late flight delete what came after it."""

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        return self.inner.delete(key)


# Tags


class EpochsOfOneWorker(WrappedStore):
    """Has epochs of its own in each worker."""

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        return {tag: epoch + id(self) for tag, epoch in self.inner.epochs(tags).items()}


class OneEpoch(WrappedStore):
    """Has one epoch for all tags, at all times."""

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        return dict.fromkeys(tags, 0)


class ForgetsWhatIsListed(WrappedStore):
    """Forgets by deleting what is stored now."""

    def forget_tag(self, tag: str) -> None:
        for listed in self.inner.list(tag=tag):
            self.inner.delete(listed.key)


class ForgetsEverything(WrappedStore):
    """Forgets more than it was told to."""

    def forget_tag(self, tag: str) -> None:
        for listed in self.inner.list():
            self.inner.delete(listed.key)


# Owners


class EndsOneScope(WrappedStore):
    """Ends a session without its tabs and pages, and without a note that it has ended."""

    def end(self, account: Owner) -> None:
        for listed in self.inner.list(owner=account):
            self.inner.delete(listed.key)


class ForgetsEnds(WrappedStore):
    """Deletes what a session has now, and forgets that it has ended."""

    def end(self, account: Owner) -> None:
        for listed in self.inner.list():
            if listed.owner.startswith(account):
                self.inner.delete(listed.key)


class EndsOnlySessions(WrappedStore):
    """Ends whatever it is told to, but for cookies."""

    def end(self, account: Owner) -> None:
        if not account.startswith("cookie:"):
            self.inner.end(account)


class EndsEverybody(WrappedStore):
    """Takes everybody for ended once somebody has."""

    def end(self, account: Owner) -> None:
        self.shared["ended"] = True
        self.inner.end(account)

    def has_ended(self, account: Owner) -> bool:
        return "ended" in self.shared or self.inner.has_ended(account)


class NotesNoUse(WrappedStore):
    """Does not notice that an owner is in use."""

    def touch(self, owner: Owner) -> None: ...


class KeepsForEver(WrappedStore):
    """Keeps what a session has as if it belonged to all."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.inner.commit(flight, key, dataclasses.replace(facts, owner=APP), encoded)


class StoresUses(WrappedStore):
    """Stores an entry for each owner in use."""

    def touch(self, owner: Owner) -> None:
        self.inner.touch(owner)
        facts = Facts("state", "used", self.inner.clock(), owner=owner)
        self.inner.commit(None, owner.encode()[-16:].rjust(16), facts, Encoded(None, (), ()))


class IgnoresLeaving(WrappedStore):
    """Keeps what a closed tab had as if the tab were open."""

    def leave(self, owner: Owner) -> None: ...


class LeavesAtOnce(WrappedStore):
    """Deletes the data of a tab that is only reloaded."""

    def leave(self, owner: Owner) -> None:
        for listed in self.inner.list(owner=owner):
            self.inner.delete(listed.key)


class LeavesWithAll(WrappedStore):
    """Lets the whole session go with one of its tabs."""

    def leave(self, owner: Owner) -> None:
        for listed in self.inner.list():
            if listed.owner.startswith(owner.partition("/")[0]):
                self.inner.leave(listed.owner)


# Failing


class RaisesForeignErrors(WrappedStore):
    """Raises what the system raises."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        try:
            return self.inner.read(key, part)
        except StoreUnavailable as error:
            raise OSError(str(error)) from None
