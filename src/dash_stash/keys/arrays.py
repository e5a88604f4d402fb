"""NumPy's values: arrays of every type, masked arrays, and scalars."""

from __future__ import annotations

from typing import Any

from dash_stash.keys.sink import NoKey, Sink, full_name


def write_array(value: Any, sink: Sink, path: str) -> None:
    """Write an array: its type, its shape, the order of its axes in memory, and its elements."""
    sink.emit(b"array")
    _write_dtype(value.dtype, sink, path)
    sink.emit(f"{value.shape} {_axes(value)}".encode())
    _write_elements(value, sink, path)


def write_scalar(value: Any, sink: Sink, path: str) -> None:
    """Write a NumPy scalar."""
    import numpy as np

    dtype = value.dtype
    sink.emit(b"scalar")
    _write_dtype(dtype, sink, path)
    if dtype.kind == "f" and value != value:  # noqa: PLR0124 (that is how NaN is known)
        sink.emit(b"nan")
    elif _is_whole(dtype):
        sink.emit(value.tobytes())
    else:
        _write_elements(np.array(value, dtype), sink, path)


def write_masked(value: Any, sink: Sink, path: str) -> None:
    """Write a masked array, with what its mask hides: its attribute `data` shows it."""
    import numpy as np

    sink.emit(f"masked {value.hardmask} {value.mask is np.ma.nomask}".encode())
    sink.write(value.data, f"{path}.data")
    write_array(np.ma.getmaskarray(value), sink, f"{path}.mask")
    sink.write(value.fill_value, f"{path}.fill_value")


def _axes(array: Any) -> list[int]:
    """Return the axes in the order in which they lie in memory, the outermost first.

    `ravel("K")` shows it, and so does what is computed from the array.
    """
    axes = list(range(array.ndim))
    if array.flags.c_contiguous:
        return axes
    long = [axis for axis in axes if array.shape[axis] > 1]
    placed = iter(sorted(long, key=lambda axis: -abs(array.strides[axis])))
    return [next(placed) if array.shape[axis] > 1 else axis for axis in axes]


def _write_dtype(dtype: Any, sink: Sink, path: str) -> None:
    if (
        dtype.num < _FIRST_OF_OTHERS
        and dtype.names is None
        and dtype.metadata is None
        and dtype.subdtype is None
    ):
        sink.emit(f"{dtype.type.__name__} {dtype.str}".encode())
        return
    if type(dtype).__module__.partition(".")[0] != "numpy" or dtype.isbuiltin == _ANOTHER_LIBRARYS:
        raise NoKey(path, f"array of {full_name(dtype.type)}, a type of another library")
    layout = f"{dtype.str} {dtype.shape} {dtype.isalignedstruct} {dtype.names}"
    sink.emit(f"{full_name(dtype.type)} {layout}".encode())
    sink.write(None if dtype.metadata is None else dict(dtype.metadata), f"{path}.dtype.metadata")
    if dtype.subdtype is not None:
        _write_dtype(dtype.base, sink, path)
    for name in dtype.names or ():
        kind, offset, *title = dtype.fields[name]
        sink.emit(str(offset).encode())
        sink.write(title, f"{path}.dtype.fields")
        _write_dtype(kind, sink, path)
    if dtype.char == _TEXT:
        sink.emit(str(dtype.coerce).encode())
        sink.write(
            [dtype.na_object] if hasattr(dtype, "na_object") else [], f"{path}.dtype.na_object"
        )


_FIRST_OF_OTHERS = 24  # NumPy's own types have the numbers below, except that of text
_ANOTHER_LIBRARYS = 2  # `isbuiltin` of the types that other libraries have registered
_TEXT = "T"  # of any length


def _write_elements(array: Any, sink: Sink, path: str) -> None:
    """Write the elements of an array, one by one where its memory does not contain them."""
    if array.dtype.names is not None and not _is_whole(array.dtype):
        for name in array.dtype.names:
            _write_elements(array[name], sink, f"{path}[{name!r}]")
    elif array.dtype.names is None and array.dtype.hasobject:
        sink.write_all(array.ravel().tolist(), f"{path}.flat")
    elif array.dtype.char in "gG":
        _write_long(array, sink)
    else:
        sink.emit_hashed(_bytes(array))


def _bytes(array: Any) -> Any:
    ordered = array.transpose(_axes(array))
    if ordered.flags.c_contiguous and ordered.size and ordered.itemsize:
        return ordered.reshape(-1).view("uint8")
    return ordered.tobytes()


def _is_whole(dtype: Any) -> bool:
    """Return whether an element's memory is its value: no objects, no gaps between fields."""
    if dtype.subdtype is not None:
        return _is_whole(dtype.base)
    if dtype.names is None:
        return not dtype.hasobject and dtype.char not in "gG"
    end = 0
    for kind, offset, *_ in sorted(
        (dtype.fields[name] for name in dtype.names), key=lambda field: field[1]
    ):
        if offset != end or not _is_whole(kind):
            return False
        end = offset + kind.itemsize
    return bool(end == dtype.itemsize)


def _write_long(array: Any, sink: Sink) -> None:
    """Write `longdouble` without its padding: on x86 it has 80 bits in 16 bytes."""
    import numpy as np

    flat = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("=")).reshape(-1)
    used = 10 if np.finfo(np.longdouble).nmant == 63 else np.dtype(np.longdouble).itemsize  # noqa: PLR2004 (bits of 80)
    sink.emit_hashed(
        flat.view("uint8").reshape(-1, np.dtype(np.longdouble).itemsize)[:, :used].tobytes()
    )
