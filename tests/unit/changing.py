"""Every way to change one thing of a value so that a function can tell.

Its content, types, order, names and attributes.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import itertools
import math
import pathlib
import uuid
import zoneinfo
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from unit import values


def changed(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what can be changed, and a changed copy; the value itself stays as it is."""
    for kind, changes in _CHANGES:
        if isinstance(value, kind):
            yield from changes(value)
            return


def _integer(value: int) -> Iterator[tuple[str, Any]]:
    yield "number", value + 1
    if abs(value) < 2**53:
        yield "type", float(value)
    if abs(value) < 2**63:
        yield "type", np.int64(value)


def _floating(value: float) -> Iterator[tuple[str, Any]]:
    if not math.isnan(value):
        yield "number", math.nextafter(value, math.inf if value < 1 else -math.inf)
        yield "sign", -value
    yield "type", complex(value)
    yield "type", np.float64(value)


def _text(value: str) -> Iterator[tuple[str, Any]]:
    for more in ("x", "\0", " ", "\ud800"):
        yield "text", value + more
    if value != value[::-1]:
        yield "order", value[::-1]
    yield "type", value.encode("utf-8", "surrogatepass")
    yield "class", type("Text", (str,), {})(value)


def _decimal(value: decimal.Decimal) -> Iterator[tuple[str, Any]]:
    sign, digits, exponent = value.as_tuple()
    yield "sign", value.copy_negate()
    if isinstance(exponent, int):
        yield "exponent", decimal.Decimal((sign, (*digits, 0), exponent - 1))
    yield "type", str(value)


_ZONES = (
    None,
    datetime.UTC,
    datetime.timezone(datetime.timedelta(0), "Zulu"),
    datetime.timezone(datetime.timedelta(hours=1)),
    datetime.timezone(datetime.timedelta(hours=1), "CET"),
    zoneinfo.ZoneInfo("UTC"),
    zoneinfo.ZoneInfo("Europe/Berlin"),
    zoneinfo.ZoneInfo("Europe/Paris"),
)


def _zoned(value: Any) -> Iterator[tuple[str, Any]]:
    yield "fold", value.replace(fold=1 - value.fold)
    yield "number", value.replace(microsecond=(value.microsecond + 1) % 1_000_000)
    for zone in _ZONES:
        if repr(zone) != repr(value.tzinfo):
            yield "zone", value.replace(tzinfo=zone)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    kind, items = type(value), list(value)
    for index, item in enumerate(items):
        for what, other in changed(item):
            yield what, kind([*items[:index], other, *items[index + 1 :]])
        yield "length", kind(items[:index] + items[index + 1 :])
    for index, (one, other) in enumerate(itertools.pairwise(items)):
        if not values.same(one, other):
            yield "order", kind([*items[:index], other, one, *items[index + 2 :]])
    yield "length", kind([*items, None])
    yield from (("type", another(items)) for another in (list, tuple, deque) if another is not kind)
    if kind is deque:
        yield "maxlen", deque(items, len(items) + 1)


def _mapping(value: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    items = list(value.items())
    for place, (name, item) in enumerate(items):
        for what, other in changed(item):
            yield what, _with_items(value, [*items[:place], (name, other), *items[place + 1 :]])
        yield (
            "name",
            _with_items(value, [*items[:place], (("new", name), item), *items[place + 1 :]]),
        )
        yield "length", _with_items(value, items[:place] + items[place + 1 :])
    if len(items) > 1:
        yield "order", _with_items(value, items[::-1])
    yield "length", _with_items(value, [*items, ("another", None)])
    others: list[Any] = [
        dict(items),
        OrderedDict(items),
        defaultdict(None, items),
        defaultdict(list, items),
        items,
    ]
    yield from (("type", other) for other in others if repr(other) != repr(value))


def _with_items(value: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
    return (
        defaultdict(value.default_factory, items)
        if isinstance(value, defaultdict)
        else type(value)(items)
    )


def _set(value: Any) -> Iterator[tuple[str, Any]]:
    yield "element", value | {"another"}
    for item in value:
        yield "length", value - {item}
    yield "type", set(value) if isinstance(value, frozenset) else frozenset(value)
    yield "type", list(value)


def _enum(value: enum.Enum) -> Iterator[tuple[str, Any]]:
    yield from (("member", other) for other in type(value) if other is not value)
    yield "type", value.value


def _dataclass(value: Any) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(value):
        for what, other in changed(getattr(value, field.name)):
            yield f"{field.name}: {what}", dataclasses.replace(value, **{field.name: other})
    more = copy.copy(value)
    object.__setattr__(more, "remark", 1)
    yield "attribute", more
    yield "type", dataclasses.asdict(value)


def _named_tuple(value: Any) -> Iterator[tuple[str, Any]]:
    for name in value._fields:
        for what, other in changed(getattr(value, name)):
            yield f"{name}: {what}", value._replace(**{name: other})
    yield "type", tuple(value)


def _path(value: pathlib.PurePath) -> Iterator[tuple[str, Any]]:
    yield "text", value / "more"
    kinds = (pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath)
    yield from (("type", kind(str(value))) for kind in kinds if kind is not type(value))


# Libraries


def _array(value: Any) -> Iterator[tuple[str, Any]]:
    for index in range(value.size):
        for other in (*value.ravel()[:3], np.zeros((), value.dtype)[()]):
            another = value.copy(order="K")
            another[np.unravel_index(index, value.shape)] = other
            if repr(another.tolist()) != repr(value.tolist()):
                yield "element", another
    for kind in _other_dtypes(value.dtype):
        with np.errstate(all="ignore"):  # numbers that do not fit
            yield "type", value.astype(kind)
    yield "shape", value[np.newaxis]
    yield "length", np.concatenate([value.ravel(), np.zeros(1, value.dtype)])
    if sum(length > 1 for length in value.shape) > 1 and value.size:
        kept = value.copy(order="K")
        yield from (
            ("order", other)
            for other in (value.copy(order="C"), value.copy(order="F"))
            if other.squeeze().strides != kept.squeeze().strides
        )
    yield "class", np.ma.MaskedArray(value)
    yield "class", value.view(type("Named", (np.ndarray,), {}))
    yield "type", value.tolist()


def _other_dtypes(dtype: Any) -> Iterator[Any]:
    if dtype.char == "T":
        yield from (
            np.dtypes.StringDType(na_object=math.nan),
            np.dtypes.StringDType(coerce=not dtype.coerce),
            np.dtype(object),
        )
        return
    if dtype.newbyteorder() != dtype:
        yield dtype.newbyteorder()
    yield np.dtype(dtype, metadata={"unit": "m"})
    if dtype.kind in "iufb":
        yield from (kind for kind in map(np.dtype, ("f8", "i1", "c16", "O")) if kind != dtype)
    if dtype.names:
        fields: list[Any] = [(name, dtype.fields[name][0]) for name in dtype.names]
        yield np.dtype([(f"{name}_", kind) for name, kind in fields])
        yield np.dtype([((f"title of {name}", name), kind) for name, kind in fields])
        yield np.dtype((np.record, fields))
        if dtype.itemsize:
            yield (
                np.dtype(
                    {
                        "names": list(dtype.names),
                        "formats": [kind for _, kind in fields],
                        "itemsize": dtype.itemsize + 8,
                    }
                )
                if not (dtype.isalignedstruct)
                else np.dtype(fields)
            )


def _masked(value: Any) -> Iterator[tuple[str, Any]]:
    def made(**options: Any) -> Any:
        same: dict[str, Any] = {
            "data": value.data,
            "mask": value.mask,
            "fill_value": value.fill_value,
            "hard_mask": value.hardmask,
        }
        return np.ma.MaskedArray(**(same | options))

    yield from (
        (f"data: {what}", made(data=other))
        for what, other in _array(value.data)
        if what == "element"
    )
    opposite = np.ma.getmaskarray(value).copy()
    opposite.view("?")[...] = ~opposite.view("?")
    yield "mask", made(mask=opposite)
    yield "fill value", made(fill_value=value.data.ravel()[-1])
    yield "hard mask", made(hard_mask=not value.hardmask)
    yield "class", value.data


def _frame(value: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    columns: list[Any] = [value.iloc[:, place] for place in range(value.shape[1])]
    for place, column in enumerate(columns):
        for what, other in _values_of(column):
            if len(other) == len(value):
                made = pd.concat([*columns[:place], other, *columns[place + 1 :]], axis=1)
                yield f"{column.name}: {what}", made.set_axis(value.columns, axis=1)
        yield "columns", value.iloc[:, [other for other in range(len(columns)) if other != place]]
    yield from (
        (f"columns: {what}", value.set_axis(other, axis=1))
        for what, other in _index(value.columns)
        if len(other) == len(columns)
    )
    yield from _if_other("order", value, value.iloc[:, ::-1])
    yield from _if_other("order", value, value[::-1])
    yield from _labelled(value)


def _labelled(value: Any) -> Iterator[tuple[str, Any]]:
    for what, other in _index(value.index):
        if len(other) == len(value):
            yield f"index: {what}", value.set_axis(other)
    noted = value.copy()
    noted.attrs["source"] = "here"
    yield "attrs", noted
    if value.index.is_unique and (value.ndim == 1 or value.columns.is_unique):
        yield "flags", value.set_flags(allows_duplicate_labels=False)
    yield "class", type("Named", (type(value),), {})(value)


def _series(value: pd.Series[Any]) -> Iterator[tuple[str, Any]]:
    yield from _values_of(value)
    yield from (("name", value.rename(name)) for name in ("another", None, 1) if name != value.name)
    yield from _labelled(value)


def _values_of(value: pd.Series[Any]) -> Iterator[tuple[str, Any]]:
    for what, other in _taken(len(value)):
        yield from _if_other(
            what,
            value,
            pd.Series(value.array.take(other), value.index[: len(other)], name=value.name),
        )
    for place in range(len(value)):
        taken = value.array.take(
            [-1 if other == place else other for other in range(len(value))], allow_fill=True
        )
        yield from _if_other("missing", value, pd.Series(taken, value.index, name=value.name))
    for dtype in ("object", "string", "category"):
        with contextlib.suppress(
            TypeError, ValueError, NotImplementedError
        ):  # where there is no such conversion
            yield from _if_other("type", value, value.astype(dtype))


def _taken(length: int) -> Iterator[tuple[str, list[int]]]:
    places = list(range(length))
    for one, other in itertools.permutations(places, 2):
        yield "element", [*places[:one], other, *places[one + 1 :]]
    yield "order", places[::-1]
    yield "length", places[:-1]


def _if_other(what: str, value: Any, other: Any) -> Iterator[tuple[str, Any]]:
    try:
        same = values.same(value, other)
    except AssertionError:
        same = False
    if not same:
        yield what, other


def _index(value: Any) -> Iterator[tuple[str, Any]]:
    for what, other in _taken(len(value)):
        yield from _if_other(what, value, value.take(other))
    for place in range(value.nlevels):
        yield (
            "name",
            value.set_names(
                [("new" if place == level else name) for level, name in enumerate(value.names)]
            ),
        )
    if isinstance(value, pd.MultiIndex):
        yield "levels", value.set_levels([[*level, "unused"] for level in value.levels])
        return
    yield from _if_other("type", value, value.astype(object))
    if isinstance(value, pd.RangeIndex):
        yield "type", pd.Index(value.to_numpy(), name=value.name)
    if isinstance(value, pd.DatetimeIndex | pd.TimedeltaIndex) and value.freq is not None:
        kind: Any = type(value)
        yield "freq", kind(value, freq=None)


def _polars_frame(value: pl.DataFrame) -> Iterator[tuple[str, Any]]:
    for name in value.columns:
        for what, other in _polars_values(value[name]):
            if len(other) == value.height:
                yield f"{name}: {what}", value.with_columns(other.alias(name))
        yield "columns", value.drop(name)
        yield "name", value.rename({name: f"{name}_"})
    yield from _if_other("order", value, value[value.columns[::-1]])
    yield from _if_other("order", value, value.reverse())
    yield "class", type("Named", (pl.DataFrame,), {})(value)


def _polars_series(value: pl.Series) -> Iterator[tuple[str, Any]]:
    yield from _polars_values(value)
    yield "name", value.alias("another")
    yield "class", type("Named", (pl.Series,), {})(value)


def _polars_values(value: pl.Series) -> Iterator[tuple[str, Any]]:
    for what, other in _taken(len(value)):
        yield from _if_other(what, value, value.gather(other))
    for place in range(len(value)):
        taken: list[Any] = [None if other == place else other for other in range(len(value))]
        yield from _if_other("missing", value, value.gather(taken))
    for dtype in _OTHER_POLARS.get(type(value.dtype), ()):
        yield from _if_other("type", value, value.cast(dtype))


_OTHER_POLARS: dict[Any, tuple[Any, ...]] = {
    pl.Int64: (
        pl.Int32,
        pl.Float64,
        pl.Int128,
        pl.Datetime("ns"),
        pl.Duration("us"),
        pl.Duration("ms"),
        pl.Decimal(20, 2),
    ),
    pl.Float64: (pl.Float32,),
    pl.String: (pl.Categorical, pl.Binary),
    pl.Datetime: (pl.Datetime("ns"), pl.Datetime("us"), pl.Datetime("us", "Europe/Berlin")),
    pl.Enum: (
        pl.String,
        pl.Enum(["b", "a", "never"]),
        pl.Enum(["a", "b"]),
        pl.Enum(["a", "b", "other"]),
    ),
    pl.Null: (pl.Int8,),
}


def _arrow(value: Any) -> Iterator[tuple[str, Any]]:
    if value.type == pa.string_view():  # which pyarrow can only cast
        yield "element", pa.array([*value.to_pylist()[:-1], "another"], value.type)
        return
    for what, other in _taken(len(value)):
        yield from _if_other(what, value, value.take(pa.array(other, pa.int64())))
    for place in range(len(value)):
        taken = value.take(
            pa.array([None if other == place else other for other in range(len(value))], pa.int64())
        )
        yield from _if_other("missing", value, taken)
    for dtype in (
        pa.large_string(),
        pa.string_view(),
        pa.int16(),
        pa.timestamp("ns"),
        pa.dictionary(pa.int8(), pa.string()),
    ):
        try:
            other = value.cast(dtype)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            continue
        if other.type != value.type:
            yield "type", other
    yield (
        "class",
        pa.chunked_array([value]) if isinstance(value, pa.Array) else value.combine_chunks(),
    )


def _arrow_table(value: Any) -> Iterator[tuple[str, Any]]:
    for place, field in enumerate(value.schema):
        for what, other in _arrow(value.column(place)):
            if len(other) == len(value) and what != "class":
                yield f"{field.name}: {what}", value.set_column(place, field.name, other)
        yield "name", value.rename_columns({field.name: "another"})
        yield "metadata", value.cast(value.schema.set(place, field.with_metadata({"unit": "m"})))
        if not value.column(place).null_count:
            yield (
                "nullability",
                value.cast(value.schema.set(place, field.with_nullable(nullable=False))),
            )
        yield "columns", value.remove_column(place)
    yield "metadata", value.replace_schema_metadata({"source": "here"})
    yield (
        "metadata",
        value.replace_schema_metadata(None)
        if value.schema.metadata
        else value.replace_schema_metadata({"": ""}),
    )
    yield from _if_other("order", value, value.select(value.column_names[::-1]))


def _only(*others: Callable[[Any], Any]) -> Callable[[Any], Iterator[tuple[str, Any]]]:
    return lambda value: (("value", other(value)) for other in others)


_CHANGES: list[tuple[Any, Callable[[Any], Iterator[tuple[str, Any]]]]] = [
    (enum.Enum, _enum),
    (bool, _only(lambda value: not value, int, np.bool_)),
    (
        pd.Timestamp,
        _only(
            lambda value: value + pd.Timedelta(1),
            lambda value: value.asm8,
            lambda value: value.tz_localize("UTC"),
        ),
    ),
    (datetime.datetime, _zoned),
    (
        datetime.date,
        _only(lambda value: datetime.datetime(value.year, value.month, value.day), str),  # noqa: DTZ001
    ),
    (datetime.time, _zoned),
    (datetime.timedelta, _only(lambda value: value - datetime.timedelta(microseconds=1), str)),
    (
        uuid.UUID,
        _only(
            lambda value: uuid.UUID(int=value.int ^ 1),
            lambda value: uuid.UUID(int=value.int, is_safe=uuid.SafeUUID.safe),
            str,
        ),
    ),
    (decimal.Decimal, _decimal),
    (fractions.Fraction, _only(lambda value: value + 1, str)),
    (range, _only(lambda value: range(value.start, value.stop + value.step, value.step), list)),
    (slice, _only(lambda value: slice(value.start, value.stop, 7))),
    (int, _integer),
    (float, _floating),
    (complex, _only(lambda value: value + 1 if abs(value) < 1e9 else -value, str)),
    (str, _text),
    (
        bytes | bytearray,
        _only(
            lambda value: value + b"\0",
            lambda value: bytes(value) if isinstance(value, bytearray) else bytearray(value),
        ),
    ),
    (pathlib.PurePath, _path),
    (np.ma.MaskedArray, _masked),
    (np.ndarray, _array),
    (pd.DataFrame, _frame),
    (pd.Series, _series),
    (pd.Index, _index),
    (pl.DataFrame, _polars_frame),
    (pl.Series, _polars_series),
    (pa.Table, _arrow_table),
    ((pa.Array, pa.ChunkedArray), _arrow),
    (type(None), _only(lambda value: ..., lambda value: "None", lambda value: False)),
]
_CHANGES += [
    (values.Point, _named_tuple),
    ((values.Route, values.Plan), _dataclass),
    (list | tuple | deque, _items),
    (dict, _mapping),
    (set | frozenset, _set),
]
