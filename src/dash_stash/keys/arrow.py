"""PyArrow's values: tables, columns and arrays, by their content, whatever their chunks."""

from __future__ import annotations

import hashlib
from typing import Any

from dash_stash.keys.arrays import write_array
from dash_stash.keys.sink import NoKey, Sink, Writer, full_name


def write_table(value: Any, sink: Sink, path: str) -> None:
    """Write a table: its schema, with names, nullability and metadata, and its columns."""
    sink.emit(b"Table%d %d" % (value.num_rows, value.num_columns))
    _write_schema(value.schema, sink)
    for name, column in zip(value.column_names, value.columns, strict=True):
        _write_present(column, sink, f"{path}[{name!r}]")


def write_array_like(value: Any, sink: Sink, path: str) -> None:
    """Write an array or a column of chunks."""
    import pyarrow as pa

    sink.emit(f"{full_name(type(value))} {len(value)}".encode())
    _write_schema(pa.schema([pa.field("", value.type)]), sink)
    _write_present(
        value if isinstance(value, pa.ChunkedArray) else pa.chunked_array([value]), sink, path
    )


def _write_schema(schema: Any, sink: Sink) -> None:
    # The bytes contain what the text shows in part or not at all; the text shows by which class a
    # type is registered.
    sink.emit(schema.serialize().to_pybytes())
    sink.emit(repr([str(kind) for kind in schema.types]).encode())


def _write_present(column: Any, sink: Sink, path: str) -> None:
    """Write which elements of a column are missing, and the others."""
    import pyarrow as pa

    kind = next(
        (kind for kind in _WRITERS if getattr(pa.types, kind, _is_unknown)(column.type)), ""
    )
    try:
        column = column.cast(pa.large_binary()) if kind in _VIEWS else column
        sink.emit(b"nulls%d" % column.null_count)
        if column.null_count:
            _write_as("uint8")(column.is_null(), sink, path)
            column = column.drop_null()
        _WRITERS.get(kind, _write_others)(column, sink, path)
    except pa.ArrowNotImplementedError:
        raise NoKey(path, f"pyarrow column of {column.type}") from None


# The writers take a column without missing elements, after its type was written.


def _write_numbers(column: Any, sink: Sink, path: str) -> None:
    write_array(column.to_numpy(), sink, path)


def _write_as(number: str) -> Writer:
    return lambda column, sink, path: _write_numbers(column.cast(number), sink, path)


def _write_decimals(column: Any, sink: Sink, path: str) -> None:
    _write_bytes(column.cast("string"), sink, path)


def _write_intervals(column: Any, sink: Sink, path: str) -> None:
    import pyarrow as pa

    width = pa.binary(column.type.bit_width // 8)
    _write_bytes(
        pa.chunked_array([chunk.view(width) for chunk in column.chunks], width), sink, path
    )


def _write_bytes(column: Any, sink: Sink, path: str) -> None:
    """Write text or bytes: the lengths, and then all of them as one."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = column.cast(pa.large_binary())
    _write_numbers(pc.binary_length(column), sink, path)
    whole = hashlib.sha256()
    for chunk in filter(len, column.chunks):
        _, borders, content = chunk.buffers()
        first, last = np.frombuffer(borders, "int64")[[chunk.offset, chunk.offset + len(chunk)]]
        whole.update(memoryview(content or b"")[first:last])
    sink.emit(whole.digest())


def _write_lists(column: Any, sink: Sink, path: str) -> None:
    import pyarrow.compute as pc

    _write_numbers(pc.list_value_length(column), sink, path)
    _write_present(pc.list_flatten(column), sink, path)


def _write_maps(column: Any, sink: Sink, path: str) -> None:
    import pyarrow as pa

    pairs = pa.struct([column.type.key_field, column.type.item_field])
    _write_lists(column.cast(pa.list_(pairs)), sink, path)


def _write_structs(column: Any, sink: Sink, path: str) -> None:
    for place, child in enumerate(column.flatten()):
        _write_present(child, sink, f"{path}.{column.type.field(place).name}")


def _write_dictionaries(column: Any, sink: Sink, path: str) -> None:
    """Write the dictionary too: pandas makes categories of it, also of its unused values."""
    import pyarrow as pa

    whole = column.unify_dictionaries().combine_chunks()
    _write_present(pa.chunked_array([whole.dictionary]), sink, path)
    _write_present(pa.chunked_array([whole.indices]), sink, path)


def _write_others(column: Any, sink: Sink, path: str) -> None:
    """Write an extension type, as UUIDs and tensors are, by its storage; unions have no key."""
    import pyarrow as pa

    if not isinstance(column.type, pa.BaseExtensionType):
        raise NoKey(path, f"pyarrow column of {column.type}")
    storage = column.type.storage_type
    _write_present(
        pa.chunked_array([chunk.storage for chunk in column.chunks], storage), sink, path
    )


def _is_unknown(_kind: Any) -> bool:
    """Stands for the check of a type that this pyarrow does not have yet."""
    return False


_VIEWS = ("is_string_view", "is_binary_view")
"""From these pyarrow cannot drop the missing elements."""

_WRITERS: dict[str, Writer] = {
    "is_null": lambda column, sink, path: None,
    "is_boolean": _write_as("uint8"),
    "is_integer": _write_numbers,
    "is_floating": _write_numbers,
    "is_interval": _write_intervals,
    "is_date32": _write_as("int32"),
    "is_time32": _write_as("int32"),
    "is_temporal": _write_as("int64"),
    "is_decimal": _write_decimals,
    "is_string": _write_bytes,
    "is_large_string": _write_bytes,
    "is_binary": _write_bytes,
    "is_large_binary": _write_bytes,
    "is_fixed_size_binary": _write_bytes,
    **dict.fromkeys(_VIEWS, _write_bytes),
    "is_list": _write_lists,
    "is_large_list": _write_lists,
    "is_fixed_size_list": _write_lists,
    "is_list_view": _write_lists,
    "is_large_list_view": _write_lists,
    "is_map": _write_maps,
    "is_struct": _write_structs,
    "is_dictionary": _write_dictionaries,
}
