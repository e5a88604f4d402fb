"""Polars' values: frames and series, by their content, whatever their chunks."""

from __future__ import annotations

from typing import Any

from dash_stash.keys.arrays import write_array
from dash_stash.keys.sink import NoKey, Sink


def write_frame(value: Any, sink: Sink, path: str) -> None:
    """Write a DataFrame."""
    sink.emit(b"polars.DataFrame%d" % value.height)
    _write_columns(value, sink, path)


def write_series(value: Any, sink: Sink, path: str) -> None:
    """Write a Series."""
    sink.emit(b"polars.Series%d" % len(value))
    sink.write(value.name, f"{path}.name")
    _write_column(value, sink, path)


def _write_columns(frame: Any, sink: Sink, path: str) -> None:
    sink.emit(b"columns%d" % frame.width)
    for column in frame.iter_columns():
        sink.write(column.name, f"{path}.columns")
        _write_column(column, sink, f"{path}[{column.name!r}]")


def _write_column(column: Any, sink: Sink, path: str) -> None:
    """Write which elements of a column are missing, and the others."""
    missing = column.null_count()
    sink.emit(f"{column.dtype!r} {missing}".encode())
    if missing:
        write_array(column.is_null().to_numpy(), sink, path)
        column = column.drop_nulls()
    _write_present(column, sink, path)


def _write_present(column: Any, sink: Sink, path: str) -> None:
    """Write the elements of a column without missing ones, after its type was written."""
    import polars as pl

    kind = column.dtype
    if kind in (pl.List, pl.Array):
        _write_lists(column, sink, path)
    elif kind == pl.Struct:
        _write_columns(column.struct.unnest(), sink, path)
    elif kind == pl.Enum:
        sink.write_all(kind.categories.to_list(), path)
        _write_text(column.cast(pl.String), sink, path)
    elif kind == pl.Binary:
        write_array(column.bin.size().to_numpy(), sink, path)
        sink.emit_hashed(b"".join(column.to_list()))
    elif isinstance(kind, pl.String | pl.Categorical) or _is_only_in_polars(kind):
        _write_text(column.cast(pl.String), sink, path)
    elif kind.is_temporal() or kind.is_numeric() or kind == pl.Boolean:
        write_array(column.to_physical().to_numpy(), sink, path)
    elif kind != pl.Null:
        raise NoKey(path, f"polars column of {kind}")


def _is_only_in_polars(kind: Any) -> bool:
    """Return whether a type is of numbers that NumPy does not have."""
    return bool(kind.is_decimal() or "128" in str(kind))


def _write_lists(column: Any, sink: Sink, path: str) -> None:
    import polars as pl

    if column.dtype == pl.List:
        write_array(column.list.len().to_numpy(), sink, path)
        # `explode` would make a missing element of an empty list.
        column = column.filter(column.list.len() > 0)
    _write_column(column.explode(), sink, path)


def _write_text(column: Any, sink: Sink, path: str) -> None:
    """Write text: the lengths, and then all of it as one."""
    write_array(column.str.len_bytes().to_numpy(), sink, path)
    sink.emit_hashed(column.str.join("").item().encode())
