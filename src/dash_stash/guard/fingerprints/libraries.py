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
    Array,
    Both,
    Column,
    Elements,
    Frame,
    Held,
    Print,
    Unwatched,
)

if TYPE_CHECKING:
    from dash_stash.guard.fingerprints.taking import Printer, Taker

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


def _array(printer: Printer, value: Any) -> Print:
    return Array(
        type(value).__name__, value.shape, _column(printer, value, whole=value.nbytes <= _WHOLE)
    )


def _masked_array(printer: Printer, value: Any) -> Print:
    kind = type(value).__name__
    return Both(
        kind,
        _array(printer, value._data),
        printer.mapping(kind, {"mask": value._mask}, "attribute"),
    )


def _column(printer: Printer, values: Any, *, whole: bool) -> Column:
    """The fingerprint of the values of an array, of any shape."""
    printer.check_time()
    if values.dtype.hasobject:
        chosen = (
            values.ravel().tolist()
            if values.size <= _SOME * 4
            else values[_sample(values.shape)].tolist()
        )
        return Column(values.dtype, _elements(printer, chosen))
    if whole:
        return Column(values.dtype, _digest(values))
    return Column(values.dtype, _digest(values[_sample(values.shape)]))


def _elements(printer: Printer, values: list[Any]) -> Elements:
    return Elements("array", len(values), range(len(values)), printer.items(values))


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
class _Block:
    """A row of a block of pandas', kept as it is: if the block was replaced, the values are compared one by one.

    A block that was changed in place is the same object, and only the sample can tell.
    """

    values: Any
    row: int | None

    def differs(self, after: _Block) -> bool:
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
class _Arrow:
    """Arrow data, which cannot change: kept as it is."""

    values: Any

    def differs(self, after: _Arrow) -> bool:
        if self.values is after.values or len(self.values) != len(after.values):
            return len(self.values) != len(after.values)
        if self.values.nbytes > _COMPARED:
            places = _sample((len(self.values),))[0]
            return not self.values.take(places).equals(after.values.take(places))
        return not self.values.equals(after.values)


def _data_frame(printer: Printer, value: Any) -> Print:
    columns, index = value._mgr.axes
    extra = {"columns.name": tuple(columns.names), "attrs": value._attrs}
    return printer.once(
        value, lambda: _with(printer, extra, _pandas(printer, value, index, _labels(columns)))
    )


def _series(printer: Printer, value: Any) -> Print:
    extra = {"name": value._name, "attrs": value._attrs}
    return printer.once(
        value, lambda: _with(printer, extra, _pandas(printer, value, value._mgr.axes[0], (None,)))
    )


def _with(printer: Printer, attributes: dict[str, Any], content: Print) -> Both:
    return Both(content.kind, content, printer.mapping(content.kind, attributes, "attribute"))


def _labels(index: Any) -> tuple[object, ...]:
    return tuple(index.tolist())


def _pandas(printer: Printer, value: Any, index: Any, names: tuple[object, ...]) -> Frame:
    manager = value._mgr
    whole = sum(block.values.nbytes for block in manager.blocks) <= _WHOLE
    columns: list[Column] = [Column(None, 0)] * len(names)
    for block in manager.blocks:
        places = block.mgr_locs.as_array.tolist() if len(names) > 1 or names != (None,) else [0]
        for place, column in zip(
            places, _block(printer, block.values, len(places), whole=whole), strict=True
        ):
            columns[place] = column
    return Frame(type(value).__name__, len(index), names, columns, _index(index))


def _block(printer: Printer, values: Any, count: int, *, whole: bool) -> list[Column]:
    plain = _ndarray_of(values)
    if plain is None:
        return [_extension(printer, values, whole=whole)]
    rows = [(plain, None)] if plain.ndim == 1 else [(plain[row], row) for row in range(count)]
    columns = []
    for row, number in rows:
        column = _column(printer, row, whole=whole)
        column.dtype = values.dtype
        if not whole and isinstance(column.digest, int):
            column.held = _Block(plain, number)
        columns.append(column)
    return columns


def _ndarray_of(values: Any) -> Any:
    """The NumPy array that holds the values of a block.

    None if there is none, or more than that.
    """
    import numpy as np

    held = values if isinstance(values, np.ndarray) else getattr(values, "_ndarray", None)
    return held if isinstance(held, np.ndarray) else None


def _extension(printer: Printer, values: Any, *, whole: bool) -> Column:
    """The fingerprint of a column that is an extension array."""
    printer.check_time()
    arrow = getattr(values, "_pa_array", None)
    if arrow is not None:
        return Column(values.dtype, 0, _Arrow(arrow))
    data, mask = getattr(values, "_data", None), getattr(values, "_mask", None)
    if data is not None and mask is not None:
        parts = [_column(printer, part, whole=whole).digest for part in (data, mask)]
        return Column(values.dtype, _elements(printer, parts))
    return Column(
        values.dtype,
        _elements(
            printer,
            list(values if len(values) <= _SOME else values.take(_sample((len(values),))[0])),
        ),
    )


def _index(index: Any, what: str = "index changed") -> Held:
    # Its labels cannot change, its names can.
    return Held(type(index).__name__, (index, tuple(index.names)), _equal_index, what)


def _equal_index(a: tuple[Any, tuple[Any, ...]], b: tuple[Any, tuple[Any, ...]]) -> bool:
    (old, names), (new, later) = a, b
    if names != later or len(old) != len(new):
        return False
    if old is not new and len(old) > _MOST_LABELS:
        places = _sample((len(old),))[0]
        old, new = old.take(places), new.take(places)
    return old is new or bool(old.equals(new))


def _pandas_index(_: Printer, value: Any) -> Print:
    return _index(value, "values changed")


def _extension_array(printer: Printer, value: Any) -> Print:
    plain = _ndarray_of(value)
    whole = value.nbytes <= _WHOLE
    column = (
        _extension(printer, value, whole=whole)
        if plain is None
        else _column(printer, plain, whole=whole)
    )
    column.dtype = value.dtype
    return Array(type(value).__name__, (len(value),), column)


# Polars, whose data is shared between copies until one of them changes


def _polars_frame(printer: Printer, value: Any) -> Print:
    printer.check_time()
    whole = value.estimated_size() <= _WHOLE
    columns = [_polars_column(column, whole=whole) for column in value.get_columns()]
    return Frame("DataFrame", value.height, tuple(value.columns), columns)


def _polars_series(printer: Printer, value: Any) -> Print:
    printer.check_time()
    column = _polars_column(value, whole=value.estimated_size() <= _WHOLE)
    return Frame("Series", len(value), (None,), [column])


def _polars_column(series: Any, *, whole: bool) -> Column:
    chosen = (
        series.clone()
        if whole
        else series.gather_every(max(1, len(series) // _SOME)).append(series.tail(1))
    )
    return Column(series.dtype, Held("Series", chosen, _equal_polars))


def _equal_polars(a: Any, b: Any) -> bool:
    return bool(a.equals(b, check_dtypes=True, null_equal=True))


# Others


def _arrow(_: Printer, value: Any) -> Print:
    return Held(type(value).__name__, value, lambda a, b: bool(a.equals(b)))


def _figure(printer: Printer, value: Any) -> Print:
    # The template is hundreds of settings, which nobody changes within one figure.
    layout = {name: item for name, item in value._layout.items() if name != "template"}
    parts = {"data": value._data, "layout": layout}
    return printer.once(value, lambda: printer.mapping(type(value).__name__, parts, "attribute"))


def _figure_part(printer: Printer, value: Any) -> Print:
    parts = value._orphan_props if value._parent is None else None
    return (
        Unwatched()
        if parts is None
        else printer.once(value, lambda: printer.mapping(type(value).__name__, parts))
    )


def _component(printer: Printer, value: Any) -> Print:
    def properties() -> Print:
        known = {
            name: item
            for name, item in dict(vars(value)).items()
            if not name.startswith(("_", "available_"))
        }
        return printer.mapping(type(value).__name__, known, "attribute")

    return printer.once(value, properties)


def _estimator(printer: Printer, value: Any) -> Print:
    return printer.once(
        value, lambda: printer.mapping(type(value).__name__, dict(vars(value)), "attribute")
    )


def _environment(printer: Printer, value: Any) -> Print:
    return printer.once(value, lambda: printer.mapping("environ", dict(value)))


def _scalar(_: Printer, value: Any) -> Any:
    return value


_TAKERS: Final[dict[str, Callable[[Printer, Any], Any]]] = {
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
