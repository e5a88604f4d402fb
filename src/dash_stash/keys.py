"""Keys: equal arguments make equal keys, in every process and on every machine.

Each value is written as text that no other value shares (a type tag, a length, the content), and the whole is hashed.
Numbers of different types are different (1, 1.0 and True), the order of a dict or set is not.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import hashlib
import pathlib
import struct
import uuid
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

KEY_SIZE = 16
"""Bytes of a key: half of a SHA-256, so that finding two arguments with one key takes 2**64 tries."""


class NoKey(Exception):
    """A value, found under *path*, has a type from which no key can be made."""

    def __init__(self, path: str, kind: str) -> None:
        super().__init__(path, kind)
        self.path, self.kind = path, kind


def digest(*parts: bytes) -> bytes:
    """Return the key made of *parts*; their borders count."""
    text = hashlib.sha256()
    for part in parts:
        text.update(len(part).to_bytes(8, "little"))
        text.update(part)
    return text.digest()[:KEY_SIZE]


def of_value(value: object, path: str) -> bytes:
    """Return the key of one value; *path* is what errors call it.

    Raises:
        NoKey: It is, or holds, something without a value of its own (a connection, a generator, a plain object).
    """
    chunks: list[bytes] = []
    try:
        _write(value, chunks.append, path)
    except RecursionError:
        raise NoKey(path, "container that holds itself, or nests too deeply") from None
    return digest(*chunks)


_Emit = Callable[[bytes], None]
_Writer = Callable[[Any, _Emit, str], None]


def _write(value: Any, emit: _Emit, path: str) -> None:
    writer = _WRITERS.get(type(value)) or _writer_by_kind(value)
    if writer is None:
        raise NoKey(path, f"{type(value).__module__}.{type(value).__qualname__}")
    writer(value, emit, path)


def _writer_by_kind(value: object) -> _Writer | None:
    """The writer of a type that is not known by itself: enums, dataclasses, named tuples, arrays and frames."""
    if isinstance(value, enum.Enum):
        return _write_enum
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _write_dataclass
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _write_named_tuple
    if isinstance(value, pathlib.PurePath):
        return _write_path
    known = next((name for name in map(public_name, type(value).__mro__) if name in _OPTIONAL), None)
    # Index and scalar types of a library say by their dtype which they are. A user's subclass may carry what is not seen here.
    by_itself = known is not None and (known == public_name(type(value)) or known in ("pandas.Index", "numpy.generic", "pyarrow.Array"))
    return _OPTIONAL[known] if known is not None and by_itself else None


def public_name(kind: type) -> str:
    """Return the type's library and name, without the inner module, which moves from version to version."""
    return f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"


def _class_name(value: object) -> bytes:
    return f"{type(value).__module__}.{type(value).__qualname__}".encode()


def _write_text(tag: bytes, to_bytes: Callable[[Any], bytes]) -> _Writer:
    def write(value: Any, emit: _Emit, path: str) -> None:  # noqa: ARG001 (one signature for all writers)
        emit(tag)
        emit(to_bytes(value))

    return write


def _float(value: float) -> bytes:
    return b"nan" if value != value else struct.pack("<d", value)  # noqa: PLR0124 (that is how NaN is known)


def _datetime(value: datetime.datetime | datetime.time) -> bytes:
    return f"{value.isoformat()} {value.fold} {value.tzinfo!r}".encode()


def _write_sequence(tag: bytes) -> _Writer:
    def write(value: Any, emit: _Emit, path: str) -> None:
        emit(tag + str(len(value)).encode())
        for index, child in enumerate(value):
            _write(child, emit, f"{path}[{index}]")

    return write


def _write_unordered(children: Iterable[Any], emit: _Emit, path: str) -> None:
    for key in sorted(of_value(child, path) for child in children):
        emit(key)


def _write_set(value: set[Any] | frozenset[Any], emit: _Emit, path: str) -> None:
    emit(b"set" + str(len(value)).encode())
    _write_unordered(value, emit, path)


def _write_mapping(value: Mapping[Any, Any], emit: _Emit, path: str) -> None:
    emit(b"dict" + str(len(value)).encode())
    for key in sorted(
        of_value(name, f"the key {name!r} of {path}") + of_value(child, f"{path}[{name!r}]") for name, child in value.items()
    ):
        emit(key)


def _write_enum(value: enum.Enum, emit: _Emit, path: str) -> None:  # noqa: ARG001 (one signature for all writers)
    emit(b"enum")
    emit(_class_name(value))
    emit(value.name.encode() if value.name is not None else str(value.value).encode())


def _write_dataclass(value: Any, emit: _Emit, path: str) -> None:
    emit(b"dataclass")
    emit(_class_name(value))
    for field in dataclasses.fields(value):
        if field.compare:
            emit(field.name.encode())
            _write(getattr(value, field.name), emit, f"{path}.{field.name}")


def _write_named_tuple(value: Any, emit: _Emit, path: str) -> None:
    emit(_class_name(value))
    _write_sequence(b"namedtuple")(value, emit, path)


def _write_path(value: pathlib.PurePath, emit: _Emit, path: str) -> None:  # noqa: ARG001 (one signature for all writers)
    emit(b"path")
    emit(str(value).encode("utf-8", "surrogatepass"))


def _write_array(value: Any, emit: _Emit, path: str) -> None:
    emit(b"array")
    emit(f"{value.dtype.str} {value.dtype.descr if value.dtype.fields else ''} {value.shape}".encode())
    if value.dtype.hasobject:
        for index, child in enumerate(value.flat):
            _write(child, emit, f"{path}.flat[{index}]")
    else:
        emit(hashlib.sha256(value.tobytes() if not value.flags.c_contiguous else value.reshape(-1).view("uint8")).digest())


def _write_masked(value: Any, emit: _Emit, path: str) -> None:
    emit(b"masked")
    _write_array(value.filled(), emit, path)
    _write_array(value.mask | False, emit, path)


def _write_number(value: Any, emit: _Emit, path: str) -> None:  # noqa: ARG001 (NumPy is optional)
    emit(b"number")
    emit(value.dtype.str.encode())
    emit(value.tobytes())


def _write_pandas_frame(value: Any, emit: _Emit, path: str) -> None:
    emit(b"DataFrame")
    _write_pandas_index(value.columns, emit, f"{path}.columns")
    _write_pandas_index(value.index, emit, f"{path}.index")
    for position in range(value.shape[1]):
        _write_pandas_values(value.iloc[:, position], emit, f"{path}.iloc[:, {position}]")


def _write_pandas_series(value: Any, emit: _Emit, path: str) -> None:
    emit(b"Series")
    _write(value.name, emit, f"{path}.name")
    _write_pandas_index(value.index, emit, f"{path}.index")
    _write_pandas_values(value, emit, path)


def _write_pandas_index(value: Any, emit: _Emit, path: str) -> None:
    emit(b"Index%d" % value.nlevels)
    for name in value.names:
        _write(name, emit, f"{path}.names")
    for level in range(value.nlevels):
        _write_pandas_values(value.get_level_values(level), emit, path)


def _write_pandas_values(value: Any, emit: _Emit, path: str) -> None:
    """Values of a Series or Index: numbers by their bytes, objects one by one, all else by pandas' own hash of each."""
    emit(str(value.dtype).encode())
    array = value.array
    if value.dtype == object:
        _write_sequence(b"objects")(array, emit, path)
    elif hasattr(array, "categories"):
        emit(b"ordered" if array.ordered else b"unordered")
        _write_pandas_index(array.categories, emit, f"{path}.categories")
        _write_array(array.codes, emit, path)
    elif hasattr(array, "asi8"):
        _write_array(array.asi8, emit, path)
    elif isinstance(value.dtype, _numpy_dtype()):
        _write_array(value.to_numpy(), emit, path)
    else:
        _write_nullable(value, emit)


def _write_nullable(value: Any, emit: _Emit) -> None:
    """Text and other values that may be missing: which are, how long each is, and all of them as one text."""
    missing = value.isna()
    texts = [str(child) for child in value[~missing]]
    emit(missing.to_numpy().tobytes() if hasattr(missing, "to_numpy") else missing.tobytes())
    emit(",".join(map(str, map(len, texts))).encode())
    emit("".join(texts).encode("utf-8", "surrogatepass"))


def _numpy_dtype() -> type:
    """Return `numpy.dtype`; only called where a NumPy user, pandas, is at work."""
    import numpy as np

    return np.dtype


def _write_polars(value: Any, emit: _Emit, path: str) -> None:
    frame = value if hasattr(value, "columns") else value.to_frame()
    emit(_class_name(value))
    for column in frame.iter_columns():
        _write(column.name, emit, path)
        emit(str(column.dtype).encode())
        _write_array(column.is_null().to_numpy(), emit, path)
        kind = column.dtype
        if kind.is_numeric() and not kind.is_decimal() and "128" not in str(kind):  # those NumPy does not have
            _write_array(column.fill_null(0).to_numpy(), emit, path)
        elif kind.is_temporal():
            _write_array(column.to_physical().fill_null(0).to_numpy(), emit, path)
        else:
            _write_rows(column.to_list(), emit, f"{path}[{column.name!r}]")


def _write_arrow(value: Any, emit: _Emit, path: str) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    table = value if isinstance(value, pa.Table) else pa.table({"": value})
    emit(_class_name(value))
    for name, column in zip(table.column_names, table.columns, strict=True):
        _write(name, emit, path)
        emit(str(column.type).encode())
        _write_array(pc.is_null(column).to_numpy(), emit, path)
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            _write_array(pc.fill_null(column, 0).to_numpy(), emit, path)
        else:
            _write_rows(column.to_pylist(), emit, f"{path}[{name!r}]")


def _write_rows(rows: list[Any], emit: _Emit, path: str) -> None:
    """Rows of a column: text as one long text, all else one by one."""
    if all(row is None or type(row) is str for row in rows):
        texts = [row for row in rows if row is not None]
        emit(",".join(map(str, map(len, texts))).encode())
        emit("".join(texts).encode("utf-8", "surrogatepass"))
    else:
        _write_sequence(b"rows")(rows, emit, path)


def _write_ref(value: Any, emit: _Emit, path: str) -> None:  # noqa: ARG001 (one signature for all writers)
    """A reference: what it points at, not who may open it."""
    emit(b"ref")
    emit(value.target)


_WRITERS: dict[type, _Writer] = {
    type(None): _write_text(b"None", lambda value: b""),
    type(...): _write_text(b"Ellipsis", lambda value: b""),
    bool: _write_text(b"bool", lambda value: b"1" if value else b"0"),
    int: _write_text(b"int", lambda value: b"%x" % value),
    float: _write_text(b"float", _float),
    complex: _write_text(b"complex", lambda value: _float(value.real) + b" " + _float(value.imag)),
    str: _write_text(b"str", lambda value: value.encode("utf-8", "surrogatepass")),
    bytes: _write_text(b"bytes", bytes),
    bytearray: _write_text(b"bytearray", bytes),
    decimal.Decimal: _write_text(b"Decimal", lambda value: str(value).encode()),
    fractions.Fraction: _write_text(b"Fraction", lambda value: str(value).encode()),
    datetime.date: _write_text(b"date", lambda value: value.isoformat().encode()),
    datetime.datetime: _write_text(b"datetime", _datetime),
    datetime.time: _write_text(b"time", _datetime),
    datetime.timedelta: _write_text(b"timedelta", lambda value: repr(value).encode()),
    uuid.UUID: _write_text(b"UUID", lambda value: value.bytes),
    range: _write_text(b"range", lambda value: repr(value).encode()),
    slice: lambda value, emit, path: _write_sequence(b"slice")((value.start, value.stop, value.step), emit, path),
    list: _write_sequence(b"list"),
    tuple: _write_sequence(b"tuple"),
    deque: _write_sequence(b"deque"),
    set: _write_set,
    frozenset: _write_set,
    dict: _write_mapping,
    OrderedDict: _write_mapping,
    defaultdict: _write_mapping,
}

# By name, so that a type can be known without importing its library.
_OPTIONAL: dict[str, _Writer] = {
    "dash_stash.Ref": _write_ref,
    "numpy.MaskedArray": _write_masked,
    "numpy.ndarray": _write_array,
    "numpy.generic": _write_number,
    "pandas.DataFrame": _write_pandas_frame,
    "pandas.Series": _write_pandas_series,
    "pandas.Index": _write_pandas_index,
    "pandas.Timestamp": _write_text(b"Timestamp", lambda value: f"{value.isoformat()} {value.fold} {value.tzinfo!r}".encode()),
    "pandas.Timedelta": _write_text(b"Timedelta", lambda value: value.isoformat().encode()),
    "pandas.NaTType": _write_text(b"NaT", lambda value: b""),
    "pandas.NAType": _write_text(b"NA", lambda value: b""),
    "polars.DataFrame": _write_polars,
    "polars.Series": _write_polars,
    "pyarrow.Table": _write_arrow,
    "pyarrow.ChunkedArray": _write_arrow,
    "pyarrow.Array": _write_arrow,
}
