"""Fingerprints of arrays, series and data frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from dash_stash.guard.fingerprints.base import Fingerprint, changes, length_change, shortened


class Original(Protocol):
    """The values of a column, to be compared with those that have replaced all of them."""

    def differs(self, after: Any) -> bool:
        """Return whether the later values differ."""
        ...


@dataclass(slots=True, eq=False)
class ColumnFingerprint:
    """The values of an array, or of one column of a data frame."""

    dtype: object
    digest: int | Fingerprint
    original: Original | None = None
    """Shows what the digest of a sample may have missed, if the whole column was replaced."""

    def differs(self, after: ColumnFingerprint) -> bool:
        """Return whether the values differ."""
        if isinstance(self.digest, Fingerprint) or isinstance(after.digest, Fingerprint):
            return any(changes(self.digest, after.digest))
        if self.digest != after.digest:
            return True
        if self.original is None or after.original is None:
            return False
        return self.original.differs(after.original)


@dataclass(slots=True, eq=False)
class ArrayFingerprint(Fingerprint):
    """An array of numbers or objects."""

    kind: str
    shape: tuple[int, ...]
    values: ColumnFingerprint

    def describe(self) -> str:
        """Return its kind and shape."""
        return f"{self.kind} {' x '.join(map(str, self.shape))}"

    def differences(self, after: ArrayFingerprint) -> Iterable[str]:
        """Return another shape or type, or that the values differ."""
        if self.shape != after.shape:
            return (f"shape {self.shape} -> {after.shape}",)
        if self.values.dtype != after.values.dtype:
            return (f"dtype {self.values.dtype} -> {after.values.dtype}",)
        return ("values changed",) if self.values.differs(after.values) else ()


@dataclass(slots=True, eq=False)
class TableFingerprint(Fingerprint):
    """A data frame or a series: its rows, columns, types, labels and values."""

    kind: str
    length: int
    names: tuple[object, ...]
    """The names of the columns; a series has one, None."""
    columns: list[ColumnFingerprint]
    index: Fingerprint | None = None

    def describe(self) -> str:
        """Return its kind and length."""
        return f"{self.kind} of {self.length} rows"

    def differences(self, after: TableFingerprint) -> Iterator[str]:
        """Yield columns added and removed, another length, and other labels, types or values."""
        if self.names != after.names:
            yield from self._name_changes(after)
        if self.length != after.length:
            yield length_change(self.length, after.length)
            return
        if self.index is not None and after.index is not None:
            yield from (what for _, what in changes(self.index, after.index))
        for name, old, new in self._common_columns(after):
            column = "column" if name is None else f"column {shortened(name)}"
            if old.dtype != new.dtype:
                yield f"{column} {old.dtype} -> {new.dtype}"
            elif old.differs(new):
                yield "values changed" if name is None else f"values changed in {column}"

    def _name_changes(self, after: TableFingerprint) -> Iterator[str]:
        old, new = set(self.names), set(after.names)
        yield from (f"column {shortened(name)} added" for name in after.names if name not in old)
        yield from (f"column {shortened(name)} removed" for name in self.names if name not in new)
        if old == new:
            yield "order of the columns changed"

    def _common_columns(
        self, after: TableFingerprint
    ) -> Iterable[tuple[object, ColumnFingerprint, ColumnFingerprint]]:
        if self.names == after.names:  # not by a dict: a name may be there twice
            return zip(self.names, self.columns, after.columns, strict=True)
        later = dict(zip(after.names, after.columns, strict=True))
        return (
            (name, column, later[name])
            for name, column in zip(self.names, self.columns, strict=True)
            if name in later
        )
