"""How types are pickled whose own way would copy their bytes into the pickle, or store too much."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_SLACK: Final = 64 * 1024
"""The bytes that a view may hold besides what it shows, before it is copied."""


def _reduce_array(array: Any) -> Any:
    """View dates as integers and close gaps in memory: NumPy exports a buffer of neither."""
    if array.dtype.hasobject:
        return NotImplemented
    if not (array.flags.c_contiguous or array.flags.f_contiguous):
        return _same, (array.copy(order="C"),)
    if array.dtype.kind in "mM":
        return _view_as, (array.view("int64"), array.dtype)
    return NotImplemented


def _same(array: Any) -> Any:
    return array


def _view_as(array: Any, dtype: Any) -> Any:
    return array.view(dtype)


def reduce_subclass(obj: Any) -> Any:
    """Keep the attributes of an array of a user's own class, and its bytes out of the pickle.

    NumPy's own way does neither.
    """
    kind = type(obj)
    if (
        not hasattr(kind, "__array_finalize__")
        or kind.__module__.partition(".")[0] == "numpy"
        or not vars(obj)
    ):
        return NotImplemented
    import numpy as np

    # Some classes say how to pickle them, as those do that are more than numbers (masked arrays).
    own = any(
        getattr(kind, name) is not getattr(np.ndarray, name)
        for name in ("__reduce__", "__reduce_ex__", "__setstate__")
    )
    return (
        NotImplemented
        if own
        else (_of_subclass, (obj.view(np.ndarray), kind), vars(obj), None, None, _set_attributes)
    )


def _of_subclass(array: Any, kind: Any) -> Any:
    return array.view(kind)


def _set_attributes(obj: Any, attributes: dict[str, Any]) -> None:
    vars(obj).update(attributes)


def _reduce_index(index: Any) -> Any:
    return _index_of, (type(index), index.values, index.name)


def _index_of(kind: Any, values: Any, name: Any) -> Any:
    # pandas' own way looks for the best type of the values, which have it already: that is a third
    # of the time that it takes to load a frame.
    return kind._simple_new(values, name)


def _reduce_categorical(categorical: Any) -> Any:
    return _categorical_of, (type(categorical), categorical.codes, categorical.dtype)


def _categorical_of(kind: Any, codes: Any, dtype: Any) -> Any:
    # As pandas does it, but in one call: `structure` looks at its arguments before anything trusts
    # them.
    return kind._simple_new(codes, dtype)


def _reduce_sparse(array: Any) -> Any:
    return _sparse_of, (type(array), array.sp_values, array.sp_index, array.dtype)


def _sparse_of(kind: Any, values: Any, positions: Any, dtype: Any) -> Any:
    return kind._simple_new(values, positions, dtype)


def _holds_more(total: int, used: int) -> bool:
    """Return whether an Arrow value is a small view of big buffers, which a pickle contains."""
    return total > 2 * used + _SLACK


def _reduce_table(table: Any) -> Any:
    import pyarrow as pa

    if not _holds_more(table.get_total_buffer_size(), table.nbytes):
        return NotImplemented
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    # As a table, whose own pickling keeps the schema in the header: only the header is sealed.
    return _same, (pa.ipc.open_stream(sink.getvalue()).read_all(),)


def _reduce_column(column: Any) -> Any:
    import pyarrow as pa

    if not _holds_more(column.get_total_buffer_size(), column.nbytes):
        return NotImplemented
    return _column_from_table, (pa.table({"": column}), isinstance(column, pa.ChunkedArray))


def _column_from_table(table: Any, chunked: bool) -> Any:  # noqa: FBT001 (PyArrow is optional; called by pickle)
    return table.column(0) if chunked else table.column(0).combine_chunks()


def _reduce_frame(frame: Any) -> Any:
    """Pickle a Polars frame as an Arrow table: without a copy, which its own way would make."""
    if not frame.width:  # an Arrow table without columns would lose its height
        return NotImplemented
    try:
        import polars
        import pyarrow as pa
    except ImportError:
        return NotImplemented
    try:
        table = frame.to_arrow(compat_level=polars.CompatLevel.newest())
        # Some types become others in Arrow (Object, 128-bit integers).
        same_types = _frame_from_arrow(table.slice(0, 0)).schema == frame.schema
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, polars.exceptions.PolarsError):
        return NotImplemented
    if not same_types or _holds_more(table.get_total_buffer_size(), table.nbytes):
        return NotImplemented
    return _frame_from_arrow, (table,)


def _frame_from_arrow(table: Any) -> Any:
    import polars

    return polars.from_arrow(table)


def _reduce_series(series: Any) -> Any:
    return _series_from_frame, (series.to_frame(),)


def _series_from_frame(frame: Any) -> Any:
    return frame.to_series()


REDUCERS: Final[dict[str, Callable[[Any], Any]]] = {
    "numpy.ndarray": _reduce_array,
    "pandas.Index": _reduce_index,
    "pandas.Categorical": _reduce_categorical,
    "pandas.SparseArray": _reduce_sparse,
    "pyarrow.Table": _reduce_table,
    "pyarrow.ChunkedArray": _reduce_column,
    "polars.DataFrame": _reduce_frame,
    "polars.Series": _reduce_series,
}
"""By name: none of these libraries is imported unless the app did it."""
