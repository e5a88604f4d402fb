"""Fingerprints of lists, dicts, sets and bytes: of all that is in them, or of a sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dash_stash.guard.fingerprints.base import Fingerprint, Part, length_change, shortened


class ByIdentity:
    """Stands for a key or a member of the app's own class: equal if it is the same object.

    So comparing keys runs no code of the app.
    """

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        """Keep the object, so that no other object gets its id."""
        self.value = value

    def __eq__(self, other: object) -> bool:
        """Return whether it stands for the same object."""
        return isinstance(other, ByIdentity) and self.value is other.value

    def __hash__(self) -> int:
        """Return the object's id."""
        return id(self.value)

    def __repr__(self) -> str:
        """Name the object's type."""
        return f"<{type(self.value).__name__}>"


@dataclass(slots=True, eq=False)
class SequenceFingerprint(Fingerprint):
    """A list, tuple or deque: all its elements, or of a long one a sample."""

    kind: str
    length: int
    positions: range | tuple[int, ...]
    items: tuple[object, ...]

    def describe(self) -> str:
        """Return its kind and length."""
        return f"{self.kind} of {self.length}"

    def differences(self, after: SequenceFingerprint) -> Iterable[str]:
        """Return another length."""
        return () if self.length == after.length else (length_change(self.length, after.length),)

    def parts(self, after: SequenceFingerprint) -> Iterable[Part]:
        """Return the elements, unless the length is another one."""
        if self.length != after.length or _are_plainly_equal(self.items, after.items):
            return ()
        return (
            (f"[{position}]", old, new)
            for position, old, new in zip(self.positions, self.items, after.items, strict=True)
        )


def _are_plainly_equal(before: tuple[object, ...], after: tuple[object, ...]) -> bool:
    """Tell, at the speed of C, whether plain values and their types are equal (1 equals True)."""
    # The types first: whether pandas' missing value equals a number, nobody can say.
    return tuple(map(type, before)) == tuple(map(type, after)) and before == after


@dataclass(slots=True, eq=False)
class MappingFingerprint(Fingerprint):
    """A dict, or the attributes of an object: all of it, or of a big one a sample."""

    kind: str
    length: int
    keys: tuple[object, ...]
    items: tuple[object, ...]
    noun: str = "key"
    """What its keys are: keys or attributes."""

    def describe(self) -> str:
        """Return its kind and, of a dict, its length."""
        return f"{self.kind} of {self.length}" if self.noun == "key" else self.kind

    def differences(self, after: MappingFingerprint) -> Iterable[str]:
        """Return the keys that were set and removed, or that their order is another one."""
        if self.keys == after.keys:
            return ()
        if self.length > len(self.keys) or after.length > len(after.keys):
            is_same_length = self.length == after.length
            return (
                f"{self.noun}s changed"
                if is_same_length
                else length_change(self.length, after.length),
            )
        return self._key_changes(after)

    def _key_changes(self, after: MappingFingerprint) -> Iterator[str]:
        old, new = set(self.keys), set(after.keys)
        yield from (f"{self.noun} {shortened(key)} set" for key in after.keys if key not in old)
        yield from (f"{self.noun} {shortened(key)} removed" for key in self.keys if key not in new)
        if old == new and self.noun == "key":
            yield "order of the keys changed"

    def parts(self, after: MappingFingerprint) -> Iterable[Part]:
        """Return the values under the keys that both have."""
        if self.keys == after.keys and _are_plainly_equal(self.items, after.items):
            return ()
        later = dict(zip(after.keys, after.items, strict=True))
        return (
            (self._step(key), item, later[key])
            for key, item in zip(self.keys, self.items, strict=True)
            if key in later
        )

    def _step(self, key: object) -> str:
        return f"[{shortened(key)}]" if self.noun == "key" else f".{key}"


@dataclass(slots=True, eq=False)
class SetFingerprint(Fingerprint):
    """A set: all its members, or of a big one the size and some members."""

    kind: str
    length: int
    members: frozenset[object]

    def describe(self) -> str:
        """Return its kind and size."""
        return f"{self.kind} of {self.length}"

    def differences(self, after: SetFingerprint) -> Iterable[str]:
        """Return the members that were added and removed, or of a big set the size."""
        added, removed = after.members - self.members, self.members - after.members
        if self.length > len(self.members) or after.length > len(after.members):
            is_same = self.length == after.length and not added and not removed
            return () if is_same else (length_change(self.length, after.length),)
        return (
            *(f"{shortened(member)} added" for member in added),
            *(f"{shortened(member)} removed" for member in removed),
        )


@dataclass(slots=True, eq=False)
class BytesFingerprint(Fingerprint):
    """A bytearray or an array of plain numbers: its length, and the digest of its bytes."""

    kind: str
    length: int
    digest: int

    def describe(self) -> str:
        """Return its kind and length."""
        return f"{self.kind} of {self.length}"

    def differences(self, after: BytesFingerprint) -> Iterable[str]:
        """Return another length or other values."""
        if self.length != after.length:
            return (length_change(self.length, after.length),)
        return () if self.digest == after.digest else ("values changed",)
