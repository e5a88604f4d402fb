"""Takes fingerprints of arrays, frames, figures and Dash components: cheaply for big ones.

None of their libraries is imported here: who has such a value has imported its library.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import xxhash

from dash_stash.guard.fingerprints.base import (
    ArrayFingerprint,
    ColumnFingerprint,
    CompositeFingerprint,
    Fingerprint,
    ImmutableFingerprint,
    SequenceFingerprint,
    TableFingerprint,
    Unwatched,
)

if TYPE_CHECKING:
    from dash_stash.guard.fingerprints.taking import Fingerprinter, Taker

_WHOLE: Final = 4 * 2**20
"""Arrays and frames of so many bytes are read whole."""

_COMPARED: Final = 16 * 2**20
"""Columns that were replaced as a whole are compared value by value up to so many bytes."""

_MOST_LABELS: Final = 100_000
"""Indexes that were replaced are compared label by label up to so many."""

_SOME: Final = 512
"""So many values of a bigger array, or of each column of a bigger frame, are read."""


def taker(cls: type) -> Taker | None:
    """Return the way to take fingerprints of a class's objects, if it is one of these libraries'."""
    return next(
        (found for base in cls.__mro__ for found in [_TAKERS.get(_public_name(base))] if found),
        None,
    )


def _public_name(cls: type) -> str:
    return f"{cls.__module__.partition('.')[0]}.{cls.__name__}"


# NumPy


def _array(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    return ArrayFingerprint(
        type(value).__name__,
        value.shape,
        _column(fingerprinter, value, whole=value.nbytes <= _WHOLE),
    )


def _masked_array(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    kind = type(value).__name__
    return CompositeFingerprint(
        kind,
        _array(fingerprinter, value._data),
        fingerprinter.mapping(kind, {"mask": value._mask}, "attribute"),
    )


def _column(fingerprinter: Fingerprinter, values: Any, *, whole: bool) -> ColumnFingerprint:
    """The fingerprint of the values of an array, of any shape."""
    fingerprinter.check_time()
    if values.dtype.hasobject:
        chosen = (
            values.ravel().tolist()
            if values.size <= _SOME * 4
            else values[_sample(values.shape)].tolist()
        )
        return ColumnFingerprint(values.dtype, _elements(fingerprinter, chosen))
    if whole:
        return ColumnFingerprint(values.dtype, _digest(values))
    return ColumnFingerprint(values.dtype, _digest(values[_sample(values.shape)]))


def _elements(fingerprinter: Fingerprinter, values: list[Any]) -> SequenceFingerprint:
    return SequenceFingerprint(
        "array", len(values), range(len(values)), fingerprinter.items(values)
    )


def _digest(values: Any) -> int:
    import numpy as np

    # NumPy exports no buffers of dates.
    return xxhash.xxh3_64_intdigest(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)


@functools.lru_cache(64)
def _sample(shape: tuple[int, ...]) -> Any:
    """Where to look in an array of this shape: at both ends, and evenly between."""
    import numpy as np

    size = int(np.prod(shape))
    return np.unravel_index(np.linspace(0, size - 1, min(_SOME, size)).astype(np.intp), shape)


# pandas


@dataclass(slots=True, eq=False)
class _PandasColumn:
    """A row of a block of pandas', kept as it is: if the block was replaced, the values are compared one by one.

    A block that was changed in place is the same object, and only the sample can tell.
    """

    values: Any
    row: int | None

    def differs(self, after: _PandasColumn) -> bool:
        import numpy as np

        if self.values is after.values and self.row == after.row:
            return False
        old, new = self._row(), after._row()
        if old.nbytes > _COMPARED:
            return False  # the samples are equal, and to look at all would take too long
        return not np.array_equal(
            old, new, equal_nan=old.dtype.kind in "fcmM" and new.dtype.kind in "fcmM"
        )

    def _row(self) -> Any:
        return self.values if self.row is None else self.values[self.row]


@dataclass(slots=True, eq=False)
class _ArrowColumn:
    """Arrow data, which cannot change: kept as it is."""

    values: Any

    def differs(self, after: _ArrowColumn) -> bool:
        if self.values is after.values or len(self.values) != len(after.values):
            return len(self.values) != len(after.values)
        if self.values.nbytes > _COMPARED:
            places = _sample((len(self.values),))[0]
            return not self.values.take(places).equals(after.values.take(places))
        return not self.values.equals(after.values)


def _data_frame(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    columns, index = value._mgr.axes
    extra = {"columns.name": tuple(columns.names), "attrs": value._attrs}
    return fingerprinter.once(
        value,
        lambda: _with(fingerprinter, extra, _pandas(fingerprinter, value, index, _labels(columns))),
    )


def _series(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    extra = {"name": value._name, "attrs": value._attrs}
    return fingerprinter.once(
        value,
        lambda: _with(
            fingerprinter, extra, _pandas(fingerprinter, value, value._mgr.axes[0], (None,))
        ),
    )


def _with(
    fingerprinter: Fingerprinter, attributes: dict[str, Any], content: Fingerprint
) -> CompositeFingerprint:
    return CompositeFingerprint(
        content.kind, content, fingerprinter.mapping(content.kind, attributes, "attribute")
    )


def _labels(index: Any) -> tuple[object, ...]:
    return tuple(index.tolist())


def _pandas(
    fingerprinter: Fingerprinter, value: Any, index: Any, names: tuple[object, ...]
) -> TableFingerprint:
    manager = value._mgr
    whole = sum(block.values.nbytes for block in manager.blocks) <= _WHOLE
    columns: list[ColumnFingerprint] = [ColumnFingerprint(None, 0)] * len(names)
    for block in manager.blocks:
        places = block.mgr_locs.as_array.tolist() if len(names) > 1 or names != (None,) else [0]
        for place, column in zip(
            places, _block(fingerprinter, block.values, len(places), whole=whole), strict=True
        ):
            columns[place] = column
    return TableFingerprint(type(value).__name__, len(index), names, columns, _index(index))


def _block(
    fingerprinter: Fingerprinter, values: Any, count: int, *, whole: bool
) -> list[ColumnFingerprint]:
    plain = _ndarray_of(values)
    if plain is None:
        return [_extension(fingerprinter, values, whole=whole)]
    rows = [(plain, None)] if plain.ndim == 1 else [(plain[row], row) for row in range(count)]
    columns = []
    for row, number in rows:
        column = _column(fingerprinter, row, whole=whole)
        column.dtype = values.dtype
        if not whole and isinstance(column.digest, int):
            column.held = _PandasColumn(plain, number)
        columns.append(column)
    return columns


def _ndarray_of(values: Any) -> Any:
    """The NumPy array that holds the values of a block.

    None if there is none, or more than that.
    """
    import numpy as np

    held = values if isinstance(values, np.ndarray) else getattr(values, "_ndarray", None)
    return held if isinstance(held, np.ndarray) else None


def _extension(fingerprinter: Fingerprinter, values: Any, *, whole: bool) -> ColumnFingerprint:
    """The fingerprint of a column that is an extension array."""
    fingerprinter.check_time()
    arrow = getattr(values, "_pa_array", None)
    if arrow is not None:
        return ColumnFingerprint(values.dtype, 0, _ArrowColumn(arrow))
    data, mask = getattr(values, "_data", None), getattr(values, "_mask", None)
    if data is not None and mask is not None:
        parts = [_column(fingerprinter, part, whole=whole).digest for part in (data, mask)]
        return ColumnFingerprint(values.dtype, _elements(fingerprinter, parts))
    return ColumnFingerprint(
        values.dtype,
        _elements(
            fingerprinter,
            list(values if len(values) <= _SOME else values.take(_sample((len(values),))[0])),
        ),
    )


def _index(index: Any, what: str = "index changed") -> ImmutableFingerprint:
    # Its labels cannot change, its names can.
    return ImmutableFingerprint(
        type(index).__name__, (index, tuple(index.names)), _equal_index, what
    )


def _equal_index(a: tuple[Any, tuple[Any, ...]], b: tuple[Any, tuple[Any, ...]]) -> bool:
    (old, names), (new, later) = a, b
    if names != later or len(old) != len(new):
        return False
    if old is not new and len(old) > _MOST_LABELS:
        places = _sample((len(old),))[0]
        old, new = old.take(places), new.take(places)
    return old is new or bool(old.equals(new))


def _pandas_index(_: Fingerprinter, value: Any) -> Fingerprint:
    return _index(value, "values changed")


def _extension_array(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    plain = _ndarray_of(value)
    whole = value.nbytes <= _WHOLE
    column = (
        _extension(fingerprinter, value, whole=whole)
        if plain is None
        else _column(fingerprinter, plain, whole=whole)
    )
    column.dtype = value.dtype
    return ArrayFingerprint(type(value).__name__, (len(value),), column)


# Polars, whose data is shared between copies until one of them changes


def _polars_frame(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    fingerprinter.check_time()
    whole = value.estimated_size() <= _WHOLE
    columns = [_polars_column(column, whole=whole) for column in value.get_columns()]
    return TableFingerprint("DataFrame", value.height, tuple(value.columns), columns)


def _polars_series(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    fingerprinter.check_time()
    column = _polars_column(value, whole=value.estimated_size() <= _WHOLE)
    return TableFingerprint("Series", len(value), (None,), [column])


def _polars_column(series: Any, *, whole: bool) -> ColumnFingerprint:
    chosen = (
        series.clone()
        if whole
        else series.gather_every(max(1, len(series) // _SOME)).append(series.tail(1))
    )
    return ColumnFingerprint(series.dtype, ImmutableFingerprint("Series", chosen, _equal_polars))


def _equal_polars(a: Any, b: Any) -> bool:
    return bool(a.equals(b, check_dtypes=True, null_equal=True))


# Others


def _arrow(_: Fingerprinter, value: Any) -> Fingerprint:
    return ImmutableFingerprint(type(value).__name__, value, lambda a, b: bool(a.equals(b)))


def _figure(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    # The template is hundreds of settings, which nobody changes within one figure.
    layout = {name: item for name, item in value._layout.items() if name != "template"}
    parts = {"data": value._data, "layout": layout}
    return fingerprinter.once(
        value, lambda: fingerprinter.mapping(type(value).__name__, parts, "attribute")
    )


def _figure_part(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    parts = value._orphan_props if value._parent is None else None
    return (
        Unwatched()
        if parts is None
        else fingerprinter.once(value, lambda: fingerprinter.mapping(type(value).__name__, parts))
    )


def _component(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    def properties() -> Fingerprint:
        known = {
            name: item
            for name, item in dict(vars(value)).items()
            if not name.startswith(("_", "available_"))
        }
        return fingerprinter.mapping(type(value).__name__, known, "attribute")

    return fingerprinter.once(value, properties)


def _estimator(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    return fingerprinter.once(
        value, lambda: fingerprinter.mapping(type(value).__name__, dict(vars(value)), "attribute")
    )


def _environment(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    return fingerprinter.once(value, lambda: fingerprinter.mapping("environ", dict(value)))


def _scalar(_: Fingerprinter, value: Any) -> Any:
    return value


_TAKERS: Final[dict[str, Callable[[Fingerprinter, Any], Any]]] = {
    "numpy.MaskedArray": _masked_array,
    "numpy.ndarray": _array,
    "numpy.generic": _scalar,
    "pandas.DataFrame": _data_frame,
    "pandas.Series": _series,
    "pandas.Index": _pandas_index,
    "pandas.ExtensionArray": _extension_array,
    "pandas.Interval": _scalar,
    "pandas.Period": _scalar,
    "pandas.NAType": _scalar,
    "polars.DataFrame": _polars_frame,
    "polars.Series": _polars_series,
    "pyarrow.Table": _arrow,
    "pyarrow.ChunkedArray": _arrow,
    "pyarrow.Array": _arrow,
    "plotly.BaseFigure": _figure,
    "plotly.BasePlotlyType": _figure_part,
    "dash.Component": _component,
    "sklearn.BaseEstimator": _estimator,
    "os._Environ": _environment,
}
