"""Fingerprints of values, and what has changed between two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

_LONGEST = 40
_MOST_BITS = 10_000  # of much longer numbers there is no text


class Change(NamedTuple):
    """A difference between two fingerprints of one variable."""

    path: str
    """Where in the variable's value: `["rows"][3]`."""

    what: str
    """Before and after, in a few words."""


class ByIdentity:
    """In the place of a key or a member of the app's own kind: equal if it is the same object, so that no code of the app runs."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        """Keep the object, lest another get its id."""
        self.value = value

    def __eq__(self, other: object) -> bool:
        """Tell whether it stands for the same object."""
        return isinstance(other, ByIdentity) and self.value is other.value

    def __hash__(self) -> int:
        """Go by the object's id."""
        return id(self.value)

    def __repr__(self) -> str:
        """Name the object's type."""
        return f"<{type(self.value).__name__}>"


class Fingerprint:
    """A fingerprint: enough of a value to tell later whether, and where, it has changed."""

    __slots__ = ()
    kind: str
    """The name of the value's type; another type is a change."""

    def words(self) -> str:
        """Return what the value was, in a few words."""
        return self.kind

    def compare(self, after: Any, path: str, compared: set[tuple[int, int]]) -> Iterator[Change]:
        """Yield how a later print, of the same class and kind, differs.

        *compared* are the pairs that were compared already.
        """
        raise NotImplementedError


def changes(
    before: object, after: object, path: str = "", compared: set[tuple[int, int]] | None = None
) -> Iterator[Change]:
    """Yield how a value differs from what it was.

    Each of both is a fingerprint, or a plain value that is its own.
    """
    compared = set() if compared is None else compared
    pair = (id(before), id(after))
    if before is after or pair in compared:
        return
    compared.add(pair)
    if isinstance(before, Unwatched) or isinstance(after, Unwatched):
        return
    if (
        isinstance(before, Fingerprint)
        and type(before) is type(after)
        and before.kind == after.kind
    ):
        yield from before.compare(after, path, compared)
    elif (
        isinstance(before, Fingerprint)
        or isinstance(after, Fingerprint)
        or type(before) is not type(after)
        or not _same(before, after)
    ):
        yield Change(path, f"{words(before)} -> {words(after)}")


def words(value: object) -> str:
    """Return what a fingerprint stands for, in a few words."""
    if isinstance(value, Fingerprint):
        return value.words()
    return "None" if value is None else f"{type(value).__name__} {short(value)}"


def short(value: object) -> str:
    """Return a plain value as text of one short line."""
    if isinstance(value, str | bytes):
        value = value[: _LONGEST + 1]
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _same(a: Any, b: Any) -> bool:
    # A NaN is not equal to itself.
    return a is b or bool(a == b) or bool(a != a and b != b)  # noqa: PLR0124


@dataclass(slots=True, eq=False)
class Unwatched(Fingerprint):
    """In the place of what may change (a connection, a lock, a logger), and of what lies too deep."""

    kind: str = ""


@dataclass(slots=True, eq=False)
class IdentityFingerprint(Fingerprint):
    """An object that is looked at from outside only: another object is a change."""

    kind: str
    value: object

    def compare(
        self,
        after: IdentityFingerprint,
        path: str,
        compared: set[tuple[int, int]],  # noqa: ARG002
    ) -> Iterator[Change]:
        """Yield a change if it is another object."""
        if self.value is not after.value:
            yield Change(path, f"another {self.kind}")


@dataclass(slots=True, eq=False)
class ImmutableFingerprint(Fingerprint):
    """A value that cannot change: kept as it is, to be compared exactly if another one has taken its place."""

    kind: str
    value: Any
    equal: Callable[[Any, Any], bool]
    what: str = "values changed"

    def compare(
        self, after: ImmutableFingerprint, path: str, compared: set[tuple[int, int]]
    ) -> Iterator[Change]:  # noqa: ARG002
        """Yield a change if the other value is not equal."""
        if self.value is not after.value and not self.equal(self.value, after.value):
            yield Change(path, self.what)


@dataclass(slots=True, eq=False)
class CycleFingerprint(Fingerprint):
    """A value inside itself, so many levels up."""

    kind: str
    levels: int

    def compare(
        self, after: CycleFingerprint, path: str, compared: set[tuple[int, int]]
    ) -> Iterator[Change]:  # noqa: ARG002
        """Yield a change if it is another of the values around it."""
        if self.levels != after.levels:
            yield Change(path, f"another {self.kind}")


@dataclass(slots=True, eq=False)
class SequenceFingerprint(Fingerprint):
    """A list, tuple or deque: all its elements, or of a long one a sample."""

    kind: str
    length: int
    positions: range | tuple[int, ...]
    items: tuple[object, ...]

    def words(self) -> str:
        """Return its kind and length."""
        return f"{self.kind} of {self.length}"

    def compare(
        self, after: SequenceFingerprint, path: str, compared: set[tuple[int, int]]
    ) -> Iterator[Change]:
        """Yield another length, or the elements that differ."""
        if self.length != after.length:
            yield Change(path, f"length {self.length} -> {after.length}")
            return
        if _plainly_same(self.items, after.items):
            return
        for position, a, b in zip(self.positions, self.items, after.items, strict=True):
            yield from changes(a, b, f"{path}[{position}]", compared)


def _plainly_same(before: tuple[object, ...], after: tuple[object, ...]) -> bool:
    """Whether plain values are equal and of the same types (1 is equal to True), found out at the speed of C."""
    # The types first: of a missing value of pandas' nobody can say whether it is equal to a number.
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

    def words(self) -> str:
        """Return its kind and, of a dict, its length."""
        return f"{self.kind} of {self.length}" if self.noun == "key" else self.kind

    def compare(
        self, after: MappingFingerprint, path: str, compared: set[tuple[int, int]]
    ) -> Iterator[Change]:
        """Yield the keys that came and went, and the values that differ."""
        if self.keys != after.keys:
            yield from self._other_keys(after, path)
        elif _plainly_same(self.items, after.items):
            return
        later = dict(zip(after.keys, after.items, strict=True))
        for key, item in zip(self.keys, self.items, strict=True):
            if key in later:
                yield from changes(item, later[key], f"{path}{self._step(key)}", compared)

    def _other_keys(self, after: MappingFingerprint, path: str) -> Iterator[Change]:
        if self.length > len(self.keys) or after.length > len(after.keys):
            yield Change(
                path,
                f"length {self.length} -> {after.length}"
                if self.length != after.length
                else f"{self.noun}s changed",
            )
            return
        known, left = set(self.keys), set(after.keys)
        yield from (
            Change(path, f"{self.noun} {short(key)} set") for key in after.keys if key not in known
        )
        yield from (
            Change(path, f"{self.noun} {short(key)} removed")
            for key in self.keys
            if key not in left
        )
        if known == left and self.noun == "key":
            yield Change(path, "order of the keys changed")

    def _step(self, key: object) -> str:
        return f"[{short(key)}]" if self.noun == "key" else f".{key}"


@dataclass(slots=True, eq=False)
class CompositeFingerprint(Fingerprint):
    """An object of the app's own kind of dict, list or set: what it contains, and its attributes."""

    kind: str
    content: Fingerprint
    attributes: Fingerprint

    def words(self) -> str:
        """Return what it contains."""
        return self.content.words()

    def compare(
        self, after: CompositeFingerprint, path: str, compared: set[tuple[int, int]]
    ) -> Iterator[Change]:
        """Yield what differs in either."""
        yield from changes(self.content, after.content, path, compared)
        yield from changes(self.attributes, after.attributes, path, compared)


@dataclass(slots=True, eq=False)
class SetFingerprint(Fingerprint):
    """A set; of a big one only the size, and some members."""

    kind: str
    length: int
    members: frozenset[object]

    def words(self) -> str:
        """Return its kind and size."""
        return f"{self.kind} of {self.length}"

    def compare(
        self,
        after: SetFingerprint,
        path: str,
        compared: set[tuple[int, int]],  # noqa: ARG002
    ) -> Iterator[Change]:
        """Yield the members that came and went."""
        if max(self.length - len(self.members), after.length - len(after.members)) > 0:
            if self.length != after.length or self.members != after.members:
                yield Change(path, f"length {self.length} -> {after.length}")
            return
        yield from (
            Change(path, f"{short(member)} added") for member in after.members - self.members
        )
        yield from (
            Change(path, f"{short(member)} removed") for member in self.members - after.members
        )


@dataclass(slots=True, eq=False)
class BytesFingerprint(Fingerprint):
    """A bytearray or an array of plain numbers."""

    kind: str
    length: int
    digest: int

    def words(self) -> str:
        """Return its kind and length."""
        return f"{self.kind} of {self.length}"

    def compare(
        self, after: BytesFingerprint, path: str, compared: set[tuple[int, int]]
    ) -> Iterator[Change]:  # noqa: ARG002
        """Yield another length or other values."""
        if self.length != after.length:
            yield Change(path, f"length {self.length} -> {after.length}")
        elif self.digest != after.digest:
            yield Change(path, "values changed")


@dataclass(slots=True, eq=False)
class ColumnFingerprint:
    """The values of an array, or of one column of a frame."""

    dtype: object
    digest: int | Fingerprint
    held: Any = None
    """Whatever a sampled digest may have missed can be looked up there, if the column was replaced as a whole."""

    def differs(self, after: ColumnFingerprint) -> bool:
        """Tell whether the values differ."""
        if isinstance(self.digest, Fingerprint) or isinstance(after.digest, Fingerprint):
            return any(changes(self.digest, after.digest))
        if self.digest != after.digest:
            return True
        return self.held is not None and after.held is not None and self.held.differs(after.held)


@dataclass(slots=True, eq=False)
class ArrayFingerprint(Fingerprint):
    """An array of numbers or objects."""

    kind: str
    shape: tuple[int, ...]
    values: ColumnFingerprint

    def words(self) -> str:
        """Return its kind and shape."""
        return f"{self.kind} {' x '.join(map(str, self.shape))}"

    def compare(
        self, after: ArrayFingerprint, path: str, compared: set[tuple[int, int]]
    ) -> Iterator[Change]:  # noqa: ARG002
        """Yield another shape or type, or other values."""
        if self.shape != after.shape:
            yield Change(path, f"shape {self.shape} -> {after.shape}")
        elif self.values.dtype != after.values.dtype:
            yield Change(path, f"dtype {self.values.dtype} -> {after.values.dtype}")
        elif self.values.differs(after.values):
            yield Change(path, "values changed")


@dataclass(slots=True, eq=False)
class TableFingerprint(Fingerprint):
    """A frame's, or a series', rows, columns, types, labels and values."""

    kind: str
    length: int
    names: tuple[object, ...]
    columns: list[ColumnFingerprint]
    index: Fingerprint | None = None
    noun: str = "column"

    def words(self) -> str:
        """Return its kind and shape."""
        return f"{self.kind} of {self.length} rows"

    def compare(
        self, after: TableFingerprint, path: str, compared: set[tuple[int, int]]
    ) -> Iterator[Change]:
        """Yield the columns that came and went, another length, other labels, types or values."""
        same_names = self.names == after.names
        if not same_names:
            yield from self._other_names(after, path)
        if self.length != after.length:
            yield Change(path, f"length {self.length} -> {after.length}")
            return
        if self.index is not None and after.index is not None:
            yield from changes(self.index, after.index, path, compared)
        for name, a, b in self._pairs(after, same_names=same_names):
            if a.dtype != b.dtype:
                yield Change(path, f"{self._called(name)} {a.dtype} -> {b.dtype}")
            elif a.differs(b):
                yield Change(
                    path,
                    f"values changed in {self._called(name)}"
                    if name is not None
                    else "values changed",
                )

    def _called(self, name: object) -> str:
        return f"{self.noun} {short(name)}" if name is not None else self.noun

    def _other_names(self, after: TableFingerprint, path: str) -> Iterator[Change]:
        before, later = set(self.names), set(after.names)
        yield from (
            Change(path, f"column {short(name)} added")
            for name in after.names
            if name not in before
        )
        yield from (
            Change(path, f"column {short(name)} removed")
            for name in self.names
            if name not in later
        )
        if before == later:
            yield Change(path, "order of the columns changed")

    def _pairs(
        self, after: TableFingerprint, *, same_names: bool
    ) -> Iterator[tuple[object, ColumnFingerprint, ColumnFingerprint]]:
        if same_names:  # names may be there twice
            yield from zip(self.names, self.columns, after.columns, strict=True)
            return
        later = dict(zip(after.names, after.columns, strict=True))
        yield from (
            (name, column, later[name])
            for name, column in zip(self.names, self.columns, strict=True)
            if name in later
        )
