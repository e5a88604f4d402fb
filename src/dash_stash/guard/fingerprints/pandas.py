"""Takes fingerprints of pandas' data frames, series, indexes and extension arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from dash_stash.guard.fingerprints.arrays import (
    MOST_BYTES,
    SAMPLE_LENGTH,
    sample,
    take_column,
    take_objects,
)
from dash_stash.guard.fingerprints.base import (
    CompositeFingerprint,
    Fingerprint,
    ImmutableFingerprint,
)
from dash_stash.guard.fingerprints.fingerprinter import Fingerprinter
from dash_stash.guard.fingerprints.tables import (
    ArrayFingerprint,
    ColumnFingerprint,
    TableFingerprint,
)

_MOST_COMPARED_BYTES: Final = 16 * 2**20
"""Up to this many bytes, a column that was replaced is compared value by value."""

_MOST_COMPARED_LABELS: Final = 100_000
"""Up to this many labels, an index that was replaced is compared label by label."""


def take_frame(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    """Return the fingerprint of a data frame."""
    columns, index = value._mgr.axes
    extra = {"columns.name": tuple(columns.names), "attrs": value._attrs}
    return fingerprinter.once(
        value,
        lambda: _with_attributes(
            fingerprinter, _table(fingerprinter, value, index, tuple(columns.tolist())), extra
        ),
    )


def take_series(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    """Return the fingerprint of a series."""
    extra = {"name": value._name, "attrs": value._attrs}
    return fingerprinter.once(
        value,
        lambda: _with_attributes(
            fingerprinter, _table(fingerprinter, value, value._mgr.axes[0], (None,)), extra
        ),
    )


def take_index(_: Fingerprinter, value: Any) -> Fingerprint:
    """Return the fingerprint of an index."""
    return _index(value, "values changed")


def take_extension_array(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    """Return the fingerprint of an extension array."""
    plain = _ndarray_of(value)
    is_whole = value.nbytes <= MOST_BYTES
    column = (
        _extension_column(fingerprinter, value, is_whole=is_whole)
        if plain is None
        else take_column(fingerprinter, plain, is_whole=is_whole)
    )
    column.dtype = value.dtype
    return ArrayFingerprint(type(value).__name__, (len(value),), column)


def _with_attributes(
    fingerprinter: Fingerprinter, table: TableFingerprint, attributes: dict[str, Any]
) -> Fingerprint:
    return CompositeFingerprint(table.kind, table, fingerprinter.attributes(table.kind, attributes))


def _table(
    fingerprinter: Fingerprinter, value: Any, index: Any, names: tuple[object, ...]
) -> TableFingerprint:
    blocks = value._mgr.blocks
    is_whole = sum(block.values.nbytes for block in blocks) <= MOST_BYTES
    columns = [ColumnFingerprint(None, 0)] * len(names)
    for block in blocks:
        # The positions of a series' only block are those of its rows.
        positions = [0] if names == (None,) else block.mgr_locs.as_array.tolist()
        found = _block_columns(fingerprinter, block.values, is_whole=is_whole)
        for position, column in zip(positions, found, strict=True):
            columns[position] = column
    return TableFingerprint(type(value).__name__, len(index), names, columns, _index(index))


def _block_columns(
    fingerprinter: Fingerprinter, values: Any, *, is_whole: bool
) -> Iterator[ColumnFingerprint]:
    plain = _ndarray_of(values)
    if plain is None:
        yield _extension_column(fingerprinter, values, is_whole=is_whole)
        return
    rows = [(plain, None)] if plain.ndim == 1 else [(row, at) for at, row in enumerate(plain)]
    for row, position in rows:
        column = take_column(fingerprinter, row, is_whole=is_whole)
        column.dtype = values.dtype
        if not is_whole and isinstance(column.digest, int):
            column.original = _BlockRow(plain, position)
        yield column


def _ndarray_of(values: Any) -> Any:
    """Return the NumPy array that alone holds the values of a block, or None."""
    import numpy as np

    found = values if isinstance(values, np.ndarray) else getattr(values, "_ndarray", None)
    return found if isinstance(found, np.ndarray) else None


def _extension_column(
    fingerprinter: Fingerprinter, values: Any, *, is_whole: bool
) -> ColumnFingerprint:
    fingerprinter.check_time()
    arrow = getattr(values, "_pa_array", None)
    if arrow is not None:
        return ColumnFingerprint(values.dtype, 0, _ArrowColumn(arrow))
    data, mask = getattr(values, "_data", None), getattr(values, "_mask", None)
    if data is not None and mask is not None:
        parts = [
            take_column(fingerprinter, part, is_whole=is_whole).digest for part in (data, mask)
        ]
        return ColumnFingerprint(values.dtype, take_objects(fingerprinter, parts))
    is_short = len(values) <= SAMPLE_LENGTH
    chosen = list(values if is_short else values.take(sample((len(values),))[0]))
    return ColumnFingerprint(values.dtype, take_objects(fingerprinter, chosen))


@dataclass(slots=True, eq=False)
class _BlockRow:
    """A row of a pandas block, compared value by value with that of a block that replaced it.

    A block that was changed in place is the same object, and only the sample can tell.
    """

    values: Any
    row: int | None

    def differs(self, after: _BlockRow) -> bool:
        import numpy as np

        if self.values is after.values and self.row == after.row:
            return False
        old, new = self._row(), after._row()
        if old.nbytes > _MOST_COMPARED_BYTES:
            return False  # the samples are equal, and to look at all would take too long
        can_have_nan = old.dtype.kind in "fcmM" and new.dtype.kind in "fcmM"
        return not np.array_equal(old, new, equal_nan=can_have_nan)

    def _row(self) -> Any:
        return self.values if self.row is None else self.values[self.row]


@dataclass(slots=True, eq=False)
class _ArrowColumn:
    """Arrow data, which cannot change."""

    values: Any

    def differs(self, after: _ArrowColumn) -> bool:
        old, new = self.values, after.values
        if old is new or len(old) != len(new):
            return len(old) != len(new)
        if old.nbytes > _MOST_COMPARED_BYTES:
            positions = sample((len(old),))[0]
            old, new = old.take(positions), new.take(positions)
        return not old.equals(new)


def _index(index: Any, what: str = "index changed") -> ImmutableFingerprint:
    # Its labels cannot change, its names can.
    names = tuple(index.names)
    return ImmutableFingerprint(type(index).__name__, (index, names), _are_equal_indexes, what)


def _are_equal_indexes(a: tuple[Any, tuple[Any, ...]], b: tuple[Any, tuple[Any, ...]]) -> bool:
    (old, old_names), (new, new_names) = a, b
    if old_names != new_names or len(old) != len(new):
        return False
    if old is not new and len(old) > _MOST_COMPARED_LABELS:
        positions = sample((len(old),))[0]
        old, new = old.take(positions), new.take(positions)
    return old is new or bool(old.equals(new))
