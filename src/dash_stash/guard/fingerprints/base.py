"""What a fingerprint is, and what has changed between two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

_LONGEST_TEXT: Final = 40
_MOST_BITS: Final = 10_000  # Python writes no longer integers as text

Part = tuple[str, object, object]
"""A part of a value: the step of the path that leads to it, and what it was before and after."""


class Change(NamedTuple):
    """A difference between two fingerprints of one variable."""

    path: str
    """Where in the variable's value: `["rows"][3]`."""

    what: str
    """Before and after, in a few words."""


class Fingerprint:
    """Enough of a value to tell later whether, and where, it has changed."""

    __slots__ = ()
    kind: str
    """The name of the value's type; another type is a change."""

    def describe(self) -> str:
        """Return what the value was, in a few words."""
        return self.kind

    def differences(self, after: Any) -> Iterable[str]:  # noqa: ARG002 (the signature)
        """Return how the value itself differs from a later one of the same class and kind."""
        return ()

    def parts(self, after: Any) -> Iterable[Part]:  # noqa: ARG002 (the signature)
        """Return the parts that are to be compared with those of the later value."""
        return ()


def changes(
    before: object, after: object, path: str = "", compared: set[tuple[int, int]] | None = None
) -> Iterator[Change]:
    """Yield how a value differs from what it was.

    Each of the two is a fingerprint, or a plain value, which is its own.
    *compared* holds the pairs that have been compared already, by their ids.
    """
    compared = set() if compared is None else compared
    pair = (id(before), id(after))
    if before is after or pair in compared:
        return
    compared.add(pair)
    if isinstance(before, Unwatched) or isinstance(after, Unwatched):
        return
    if isinstance(before, Fingerprint):
        if type(before) is not type(after) or before.kind != after.kind:
            yield _replaced(before, after, path)
            return
        for what in before.differences(after):
            yield Change(path, what)
        for step, old, new in before.parts(after):
            yield from changes(old, new, path + step, compared)
    elif type(before) is not type(after) or not _is_equal(before, after):
        yield _replaced(before, after, path)


def _replaced(before: object, after: object, path: str) -> Change:
    return Change(path, f"{describe(before)} -> {describe(after)}")


def _is_equal(a: Any, b: Any) -> bool:
    # A NaN is not equal to itself.
    return a is b or bool(a == b) or bool(a != a and b != b)  # noqa: PLR0124


def describe(value: object) -> str:
    """Return what a fingerprint or a plain value stands for, in a few words."""
    if isinstance(value, Fingerprint):
        return value.describe()
    return "None" if value is None else f"{type(value).__name__} {shortened(value)}"


def shortened(value: object) -> str:
    """Return a plain value as the text of one short line."""
    if isinstance(value, str | bytes):
        value = value[: _LONGEST_TEXT + 1]
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..."


def length_change(before: int, after: int) -> str:
    """Return the words for another length."""
    return f"length {before} -> {after}"


@dataclass(slots=True, eq=False)
class Unwatched(Fingerprint):
    """Stands for what may change, such as a lock or a logger, and for what is nested too deep."""

    kind: str = ""


@dataclass(slots=True, eq=False)
class IdentityFingerprint(Fingerprint):
    """An object that is not looked into: only another object in its place is a change."""

    kind: str
    value: object

    def differences(self, after: IdentityFingerprint) -> Iterable[str]:
        """Return a change if it is another object."""
        return () if self.value is after.value else (f"another {self.kind}",)


@dataclass(slots=True, eq=False)
class ImmutableFingerprint(Fingerprint):
    """A value that cannot change: kept, and compared exactly with one that has replaced it."""

    kind: str
    value: Any
    equal: Callable[[Any, Any], bool]
    what: str = "values changed"

    def differences(self, after: ImmutableFingerprint) -> Iterable[str]:
        """Return a change if the other value is not equal."""
        is_equal = self.value is after.value or self.equal(self.value, after.value)
        return () if is_equal else (self.what,)


@dataclass(slots=True, eq=False)
class CycleFingerprint(Fingerprint):
    """A value that is inside itself, this many levels up."""

    kind: str
    levels: int

    def differences(self, after: CycleFingerprint) -> Iterable[str]:
        """Return a change if it is another of the values around it."""
        return () if self.levels == after.levels else (f"another {self.kind}",)


@dataclass(slots=True, eq=False)
class CompositeFingerprint(Fingerprint):
    """An object with contents and attributes, such as the app's own kind of dict."""

    kind: str
    content: Fingerprint
    attributes: Fingerprint

    def describe(self) -> str:
        """Return what it contains."""
        return self.content.describe()

    def parts(self, after: CompositeFingerprint) -> Iterable[Part]:
        """Return both."""
        return (
            ("", self.content, after.content),
            ("", self.attributes, after.attributes),
        )
