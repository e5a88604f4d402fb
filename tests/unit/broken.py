"""Stores that lack one property each: the contract has to notice every one of them."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

from dash_stash.codec import Encoded, PartName
from dash_stash.entries import Facts, Kind
from dash_stash.errors import StoreUnavailable
from dash_stash.stores.base import Flight, Found, Landed, Limits, Listed, Store
from support import LIMITS, SEALING_KEY, FakeClock
from unit.laboratory import Laboratory


class Sound:
    """A store that does what the one below it does."""

    def __init__(self, store: Store, shared: dict[Any, Any]) -> None:
        """Take the store below, and what all workers that open the place share."""
        self.below, self.shared = store, shared

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        return self.below.read(key, part)

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        return self.below.join(key, wait=wait)

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.below.commit(flight, key, facts, encoded)

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        return self.below.delete(key, flight)

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        return self.below.epochs(tags)

    def forget_tag(self, tag: str) -> None:
        self.below.forget_tag(tag)

    def list(
        self, scope: str | None = None, kind: Kind | None = None, tag: str | None = None
    ) -> Sequence[Listed]:
        return self.below.list(scope, kind, tag)

    def end(self, holder: str) -> None:
        self.below.end(holder)

    def has_ended(self, holder: str) -> bool:
        return self.below.has_ended(holder)

    def touch(self, scope: str) -> None:
        self.below.touch(scope)

    def leave(self, scope: str) -> None:
        self.below.leave(scope)


class OfOne(Sound):
    """Keeps what it stores to itself."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        return self.below.read(key, part) if (id(self), key) in self.shared else None

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        self.shared[id(self), key] = True
        return self.below.commit(flight, key, facts, encoded)


class Lends(Sound):
    """Gives the same memory to everybody."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        return self.shared.setdefault(key, self.below.read(key, part))


class Trusts(Sound):
    """Goes on giving what was once read, without a look."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        found = self.below.read(key, part) or self.shared.get(key)
        self.shared[key] = found
        return found


class TrustsTime(Sound):
    """Takes no value for over."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.below.commit(
            flight, key, dataclasses.replace(facts, gone_at=float("inf")), encoded
        )


class TrustsTags(Sound):
    """Takes no value for forgotten."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.below.commit(flight, key, dataclasses.replace(facts, tags={}), encoded)


class Grounded(Sound):
    """Lets nobody compute."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        return Landed(None)


class Impatient(Sound):
    """Waits for nobody."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        return self.below.join(key, wait=False) or Landed(None)


class Silent(Sound):
    """Tells nobody how a flight ended."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        joined = self.below.join(key, wait=wait)
        return Landed(None) if isinstance(joined, Landed) else joined


class Stubborn(Sound):
    """Waits even if it should not."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        return self.below.join(key)


class Crowded(Sound):
    """Lets everybody compute at once."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        class Free(contextlib.nullcontext["Free"]):
            def land(self, outcome: bytes | None = None) -> None: ...

            def close(self) -> None: ...

        return Free()


class LocksAsData(Sound):
    """Keeps flights as data that somebody must remember to delete."""

    def join(self, key: bytes, *, wait: bool = True) -> Flight | Landed | None:
        place: pathlib.Path = self.shared["place"]
        if (place / key.hex()).exists():
            return None
        (place / key.hex()).touch()
        return self.below.join(key, wait=wait)


class Loses(Sound):
    """Says that it has stored what it has not."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return True


class WithoutFences(Sound):
    """Lets a late result in."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.below.commit(None, key, facts, encoded)


class ClearsFirst(Sound):
    """Makes room before it knows that the new value fits."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        self.below.delete(key)
        return self.below.commit(flight, key, facts, encoded)


class Hoards(Sound):
    """Deletes nothing."""

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        return True


class DeletesForNow(Sound):
    """Deletes what is stored, and lets a flight under way bring it back."""

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        return self.below.commit(
            None, key, Facts("memo", "f", 0.0, gone_at=1.0), Encoded(None, (), ())
        )


class DeletesLate(Sound):
    """Lets whoever once flew delete what came later."""

    def delete(self, key: bytes, flight: Flight | None = None) -> bool:
        return self.below.delete(key)


class EndsOneScope(Sound):
    """Ends a session, and leaves its tabs and pages."""

    def end(self, holder: str) -> None:
        for listed in self.below.list(scope=holder):
            self.below.delete(listed.key)


class EndsForNow(Sound):
    """Deletes what a session has now, and forgets that it has ended."""

    def end(self, holder: str) -> None:
        for listed in self.below.list():
            if listed.scope.startswith(holder):
                self.below.delete(listed.key)


class WithoutShares(Sound):
    """Lets one session have everything."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.below.commit(flight, key, dataclasses.replace(facts, scope=""), encoded)


class TakesAllForVariables(Sound):
    """Lets nothing make room for anything."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.below.commit(flight, key, dataclasses.replace(facts, kind="state"), encoded)


class TakesAllForValues(Sound):
    """Lets whatever is older make room for anything."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return self.below.commit(flight, key, dataclasses.replace(facts, kind="memo"), encoded)


class Timeless(Sound):
    """Has one epoch."""

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        return dict.fromkeys(tags, 0)


class ForgetsWhatIsListed(Sound):
    """Forgets by deleting what is stored now."""

    def forget_tag(self, tag: str) -> None:
        for listed in self.below.list(tag=tag):
            self.below.delete(listed.key)


class ForgetsAll(Sound):
    """Forgets more than it was told to."""

    def forget_tag(self, tag: str) -> None:
        for listed in self.below.list():
            self.below.delete(listed.key)


class Blind(Sound):
    """Lists nothing."""

    def list(
        self, scope: str | None = None, kind: Kind | None = None, tag: str | None = None
    ) -> Sequence[Listed]:
        return ()


class Indiscreet(Sound):
    """Lists everything, whatever was asked for."""

    def list(
        self, scope: str | None = None, kind: Kind | None = None, tag: str | None = None
    ) -> Sequence[Listed]:
        return self.below.list()


class ReadsByListing(Sound):
    """Needs the listing for a read."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        self.shared.setdefault("known", set()).update(
            listed.key for listed in self.below.list() if "lost" not in self.shared
        )
        return (
            self.below.read(key, part)
            if key in self.shared["known"] and "lost" not in self.shared
            else None
        )


class OneAtATime(Sound):
    """Lets a commit wait for whoever computes."""

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        joined = None if flight else self.below.join(key)
        try:
            return self.below.commit(flight, key, facts, encoded)
        finally:
            if joined and not isinstance(joined, Landed):
                joined.close()


class Frank(Sound):
    """Raises what the system raises."""

    def read(self, key: bytes, part: PartName | None = None) -> Found | None:
        try:
            return self.below.read(key, part)
        except StoreUnavailable as error:
            raise must_cause(error) from None


def must_cause(error: BaseException) -> BaseException:
    """Return what an error was raised from."""
    assert error.__cause__ is not None
    return error.__cause__


class BrokenLaboratory:
    """A laboratory whose stores lack a property."""

    def __init__(self, laboratory: Laboratory, broken: type[Sound], place: pathlib.Path) -> None:
        self._laboratory, self._broken, self._shared = laboratory, broken, {"place": place}
        self.clock: FakeClock = laboratory.clock

    def open(self, *, sealing_key: bytes = SEALING_KEY, limits: Limits = LIMITS) -> Store:
        return self._broken(
            self._laboratory.open(sealing_key=sealing_key, limits=limits), self._shared
        )

    def stored(self) -> set[bytes]:
        return self._laboratory.stored()

    def damage(self, key: bytes) -> None:
        self._laboratory.damage(key)

    def lay(self, key: bytes, *, in_place_of: bytes) -> None:
        self._laboratory.lay(key, in_place_of=in_place_of)

    def lose_listing(self) -> None:
        self._shared["lost"] = self._shared["place"]
        self._laboratory.lose_listing()

    def ruin(self) -> None:
        self._laboratory.ruin()

    def close(self) -> None:
        self._laboratory.close()
