"""pandas' values: frames, series and indexes, with columns of every type."""

from __future__ import annotations

from typing import Any

from dash_stash.keys.arrays import write_array
from dash_stash.keys.arrow import write_array_like
from dash_stash.keys.sink import NoKey, Sink, Writer, full_name, public_name


def write_frame(value: Any, sink: Sink, path: str) -> None:
    """Write a DataFrame."""
    sink.emit(b"DataFrame")
    _write_attributes(value, sink, path)
    write_index(value.columns, sink, f"{path}.columns")
    write_index(value.index, sink, f"{path}.index")
    for position in range(value.shape[1]):
        _write_values(value.iloc[:, position], sink, f"{path}.iloc[:, {position}]")


def write_series(value: Any, sink: Sink, path: str) -> None:
    """Write a Series."""
    sink.emit(b"Series")
    _write_attributes(value, sink, path)
    sink.write(value.name, f"{path}.name")
    write_index(value.index, sink, f"{path}.index")
    _write_values(value, sink, path)


def _write_attributes(value: Any, sink: Sink, path: str) -> None:
    sink.emit(str(value.flags.allows_duplicate_labels).encode())
    sink.write(dict(value.attrs), f"{path}.attrs")


def write_index(value: Any, sink: Sink, path: str) -> None:
    """Write an Index of any kind."""
    sink.emit(public_name(type(value)).encode())
    sink.write(list(value.names), f"{path}.names")
    if hasattr(value, "levels"):
        for level, codes in zip(value.levels, value.codes, strict=True):
            write_index(level, sink, f"{path}.levels")
            write_array(codes, sink, f"{path}.codes")
    elif hasattr(value, "step"):
        sink.write([value.start, value.stop, value.step], path)
    else:
        _write_freq(getattr(value, "freq", None), sink, f"{path}.freq")
        _write_values(value, sink, path)


def _write_freq(value: Any, sink: Sink, path: str) -> None:
    if value is None:
        sink.emit(b"")
    else:
        sink.emit(f"{full_name(type(value))} {value.n} {value.normalize}".encode())
        sink.write(sorted(value.kwds.items()), path)


def write_timestamp(value: Any, sink: Sink, path: str) -> None:
    """Write a Timestamp: the moment with its unit, and the time zone."""
    sink.emit(b"Timestamp")
    sink.write(value.asm8, path)
    sink.write([value.fold, value.tzinfo], path)


def write_timedelta(value: Any, sink: Sink, path: str) -> None:
    """Write a Timedelta, with its unit."""
    sink.emit(b"Timedelta")
    sink.write(value.asm8, path)


def _write_values(value: Any, sink: Sink, path: str) -> None:
    """Write the values of a Series or Index."""
    import numpy as np

    array, dtype = value.array, value.dtype
    sink.emit(f"{full_name(type(dtype))} {dtype}".encode())
    if isinstance(dtype, np.dtype) and dtype.hasobject:
        sink.write_all(value.to_numpy().tolist(), path)
    elif isinstance(dtype, np.dtype):
        write_array(value.to_numpy(), sink, path)
    else:
        known = map(public_name, type(array).__mro__)
        writer = next((_WRITERS[name] for name in known if name in _WRITERS), None)
        # A type of another library may hold more than its values, as places hold their reference
        # system.
        if writer is None or _is_anothers(array) or _is_anothers(dtype):
            raise NoKey(path, f"column of {dtype}, {full_name(type(array))}")
        writer(array, sink, path)


def _is_anothers(value: object) -> bool:
    return type(value).__module__.partition(".")[0] != "pandas"


# The writers take pandas' arrays, after their dtype was written as text.


def _write_moments(array: Any, sink: Sink, path: str) -> None:
    sink.write(getattr(array, "tz", None), f"{path}.dt.tz")
    write_array(array.asi8, sink, path)


def _write_categories(array: Any, sink: Sink, path: str) -> None:
    sink.emit(str(array.ordered).encode())
    write_index(array.categories, sink, f"{path}.cat.categories")
    write_array(array.codes, sink, f"{path}.cat.codes")


def _write_intervals(array: Any, sink: Sink, path: str) -> None:
    write_index(array.left, sink, f"{path}.array.left")
    write_index(array.right, sink, f"{path}.array.right")


def _write_sparse(array: Any, sink: Sink, path: str) -> None:
    sink.emit(f"{len(array)} {array.kind}".encode())
    sink.write(array.fill_value, f"{path}.array.fill_value")
    write_array(array.sp_index.to_int_index().indices, sink, path)
    write_array(array.sp_values, sink, path)


def _write_nullable(array: Any, sink: Sink, path: str) -> None:
    kind = array.dtype.numpy_dtype
    write_array(array.isna(), sink, path)
    write_array(array.to_numpy(kind, na_value=kind.type(0)), sink, path)


def _write_text(array: Any, sink: Sink, path: str) -> None:
    sink.emit(f"{array.dtype.storage} {array.dtype.na_value}".encode())
    if array.dtype.storage == "python":
        missing = array.isna()
        write_array(missing, sink, path)
        sink.write_all(array.to_numpy(object)[~missing].tolist(), path)
    else:
        _write_arrow(array, sink, path)


def _write_arrow(array: Any, sink: Sink, path: str) -> None:
    write_array_like(array.__arrow_array__(), sink, path)


_WRITERS: dict[str, Writer] = {
    "pandas.Categorical": _write_categories,
    "pandas.DatetimeArray": _write_moments,
    "pandas.PeriodArray": _write_moments,
    "pandas.IntervalArray": _write_intervals,
    "pandas.SparseArray": _write_sparse,
    "pandas.BaseMaskedArray": _write_nullable,
    "pandas.BaseStringArray": _write_text,
    "pandas.ArrowStringArray": _write_text,
    "pandas.ArrowExtensionArray": _write_arrow,
}
