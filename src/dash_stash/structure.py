"""Checks what a stored value's buffers say of its structure: offsets, views, indices and codes.

Libraries trust these unchecked, and would read or write outside of the value. The header is sealed,
and so are the lengths of the buffers, but not what is in them. So when a process first sees the
buffers of a value, it unpickles the value once, and looks at what the unpickler puts together. It
cannot look into the types of other libraries: their buffers have a digest in the sealed
description, which costs a millisecond for each MB.

Source: the Arrow columnar format, "Physical memory layout".
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash_stash.codec import Encoded, Unpickler, digest_of


class _Unsound(Exception):
    """Something in a buffer leads outside of the value."""


def is_sound(encoded: Encoded) -> bool:
    """Return whether nothing in the value's buffers leads outside of them.

    It unpickles the headers: their seal must have been checked.
    """
    try:
        for segment in encoded.segments:
            _expect(not segment.digest or digest_of(segment.buffers) == segment.digest)
            header = bytes(segment.header) if segment.buffers else b""
            if any(name in header for name in _NAMES):
                _Looking(io.BytesIO(header), buffers=segment.buffers).load()
    except _Unsound:
        return False
    except Exception:  # noqa: BLE001 (unpickling runs the user's own code)
        return True  # whoever loads the value will tell, as of any that cannot be unpickled
    return True


class _Looking(Unpickler):
    """Unpickles, and looks at the arguments of every call that would trust them."""

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        look = _LOOKS.get((module, name))
        return found if look is None else functools.partial(_make, look, found)


def _make(look: Callable[..., None], make: Callable[..., Any], *arguments: Any) -> Any:
    try:
        look(*arguments)
    except Exception as error:
        raise _Unsound from error
    return make(*arguments)


def _expect(condition: object) -> None:
    if not condition:
        raise _Unsound


# Arrow


def _array(data: Any) -> None:
    """Look at an array in its parts, as PyArrow pickles them.

    The commonest layouts are looked at here, in a fraction of the time that Arrow takes.
    """
    import pyarrow as pa

    kind, length, nulls, offset, buffers, children, dictionary = data
    types = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return _array((kind.storage_type, *data[1:]))
    if types.is_string(kind) or types.is_binary(kind):
        _offsets("<i4", data, 0 if buffers[2] is None else buffers[2].size)
    elif types.is_large_string(kind) or types.is_large_binary(kind):
        _offsets("<i8", data, 0 if buffers[2] is None else buffers[2].size)
    elif types.is_list(kind) or types.is_map(kind):
        _offsets("<i4", data, children[0][1])
    elif types.is_large_list(kind):
        _offsets("<i8", data, children[0][1])
    elif types.is_dictionary(kind):
        _indices(data)
    elif not (
        types.is_primitive(kind)
        or types.is_null(kind)
        or types.is_decimal(kind)
        or types.is_struct(kind)
        or _is_fixed(types, kind)
    ):
        return _ask_arrow(data)
    if buffers and buffers[0] is not None and nulls >= 0:
        _expect(
            pa.Array.from_buffers(
                pa.bool_(), length, [buffers[0], buffers[0]], offset=offset
            ).null_count
            == nulls
        )
    for part in (*children, *filter(None, [dictionary])):
        _array(part)
    return None


def _is_fixed(types: Any, kind: Any) -> bool:
    return bool(types.is_fixed_size_binary(kind) or types.is_fixed_size_list(kind))


def _ask_arrow(data: Any) -> None:
    """Let Arrow look at each element.

    It knows all layouts, and checks that text in views is UTF-8, which Polars trusts.
    """
    from pyarrow.lib import _restore_array

    _restore_array(data).validate(full=True)


def _frame(table: Any) -> None:
    """Look at the views of nulls in a table: Polars trusts them, and Arrow does not check them."""
    for column in table.columns:
        for chunk in column.chunks:
            _null_views(chunk)


def _null_views(array: Any) -> None:
    import pyarrow as pa

    kind, types = array.type, pa.types
    if types.is_string_view(kind) or types.is_binary_view(kind):
        if array.null_count:
            pa.Array.from_buffers(
                kind, len(array), [None, *array.buffers()[1:]], offset=array.offset
            ).validate(full=True)
    elif types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        _null_views(array.values)
    elif types.is_dictionary(kind):
        _null_views(array.dictionary)
    elif types.is_struct(kind):
        for number in range(kind.num_fields):
            _null_views(array.field(number))


def _offsets(dtype: str, data: Any, end: int) -> None:
    import numpy as np

    _, length, _, offset, buffers, *_ = data
    if length:
        offsets = np.frombuffer(buffers[1], dtype)[offset : offset + length + 1]
        _expect(offsets[0] >= 0 and offsets[-1] <= end and (offsets[1:] >= offsets[:-1]).all())


def _indices(data: Any) -> None:
    import numpy as np

    kind, length, _, offset, buffers, _, dictionary = data
    if length:
        indices = np.frombuffer(buffers[1], kind.index_type.to_pandas_dtype())[
            offset : offset + length
        ]
        if not _within(indices, 0, dictionary[1]):
            _ask_arrow(data)  # the index of a null may be anything


def _within(numbers: Any, start: int, stop: int) -> bool:
    return not numbers.size or bool(start <= numbers.min() and numbers.max() < stop)


# pandas


def _index(_: type, parts: dict[str, Any]) -> None:
    for codes, level in zip(parts.get("codes", ()), parts.get("levels", ()), strict=True):
        _expect(_within(codes, -1, len(level)))


def _categorical(_: type, codes: Any, dtype: Any) -> None:
    _expect(_within(codes, -1, len(dtype.categories)))


def _positions(length: int, starts: Any, lengths: Any = 1) -> None:
    """Look at where a sparse array has values; pandas itself checks that they are in order."""
    ends = starts.astype("int64") + lengths
    _expect(
        _within(starts, 0, length)
        and _within(ends - starts, 1, length + 1)
        and _within(ends, 1, length + 1)
    )


def _sparse(_: type, values: Any, positions: Any, __: Any) -> None:
    _expect(positions.npoints == len(values))


_LOOKS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("pyarrow.lib", "_restore_array"): _array,
    ("pandas.core.indexes.base", "_new_Index"): _index,
    ("dash_stash.reducers", "_frame_from_arrow"): _frame,
    ("dash_stash.reducers", "_categorical_of"): _categorical,
    ("dash_stash.reducers", "_sparse_of"): _sparse,
    ("pandas._libs.sparse", "IntIndex"): _positions,
    ("pandas._libs.sparse", "BlockIndex"): _positions,
}
_NAMES: Sequence[bytes] = [name.encode() for _, name in _LOOKS]
