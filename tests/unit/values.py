"""Values of every kind that the library knows, and whether two have the same value and type."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import fractions
import math
import pathlib
import uuid
import zoneinfo
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import polars as pl
import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

TEXT: Any = "str" if pd.__version__ >= "3" else "string[pyarrow]"
"""The type of text that lies in buffers, not in Python objects: pandas 3 has it by default."""


class Colour(enum.Enum):
    RED = 1
    BLUE = "blue"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: float
    y: float


@dataclasses.dataclass(frozen=True)
class Route:
    origin: str
    stops: tuple[str, ...] = ()
    note: str = dataclasses.field(default="", compare=False)


@dataclasses.dataclass
class Plan:
    routes: list[Route]
    days: dict[str, int]


class Model:
    """A class of a user's own, with an array in it."""

    def __init__(self, name: str, weights: Any) -> None:
        self.name, self.weights = name, weights

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Model)
            and self.name == other.name
            and bool(np.array_equal(self.weights, other.weights))
        )

    __hash__ = None  # type: ignore[assignment]


class Slotted:
    """A class of a user's own without a `__dict__`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Measured(np.ndarray[Any, Any]):
    """An array of a user's own class that has attributes besides its numbers."""

    unit: str
    others: list[Measured]


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, with all types in them; NaN is NaN."""
    compare = next(compare for kind, compare in _COMPARED.items() if isinstance(one, kind))
    return type(one) is type(other) and compare(one, other)


def _same_number(one: float, other: float) -> bool:
    return (math.isnan(one) and math.isnan(other)) or (
        one == other and math.copysign(1, one) == math.copysign(1, other)
    )


def _same_array(one: Any, other: Any) -> bool:
    equal = (
        same(one.tolist(), other.tolist())
        if one.dtype.hasobject
        else one.tobytes() == other.tobytes()
    )
    return equal and bool(one.dtype == other.dtype and one.shape == other.shape)


def _same_arrow(one: Any, other: Any) -> bool:
    return bool(
        (one.schema == other.schema if hasattr(one, "schema") else one.type == other.type)
        and one.equals(other)
    )


def _asserted(check: Callable[..., object], **options: Any) -> Callable[[Any, Any], bool]:
    return lambda one, other: check(one, other, **options) is None


_COMPARED: dict[Any, Callable[[Any, Any], bool]] = {
    float: _same_number,
    (list, tuple, deque): lambda one, other: len(one) == len(other) and all(map(same, one, other)),
    dict: lambda one, other: (
        list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    ),
    np.ndarray: _same_array,
    pd.DataFrame: _asserted(pd.testing.assert_frame_equal, check_freq=True),
    pd.Series: _asserted(pd.testing.assert_series_equal, check_freq=True),
    pd.Index: _asserted(pd.testing.assert_index_equal, exact=True),
    pl.DataFrame: lambda one, other: bool(one.schema == other.schema and one.equals(other)),
    pl.Series: lambda one, other: bool(
        one.name == other.name and one.dtype == other.dtype and one.equals(other)
    ),
    (pa.Table, pa.RecordBatch, pa.ChunkedArray, pa.Array): _same_arrow,
    object: lambda one, other: bool(one == other),
}


_hashable = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.dates(),
    st.datetimes(timezones=st.none() | st.timezones()),
    st.times(),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.uuids(),
    st.complex_numbers(allow_nan=False),
    st.sampled_from([*Colour, Rights.READ | Rights.WRITE]),
    st.builds(Route, st.text(), st.tuples(st.text())),
    st.builds(Point, st.floats(allow_nan=False), st.floats(allow_nan=False)),
)

plain = st.recursive(
    _hashable | st.just(math.nan),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.lists(inner, max_size=4).map(deque),
        st.dictionaries(st.text(), inner, max_size=4),
        st.dictionaries(_hashable, inner, max_size=4),
        st.frozensets(_hashable, max_size=4),
        st.sets(_hashable, max_size=4),
        st.builds(
            Plan, st.lists(st.builds(Route, st.text())), st.dictionaries(st.text(), st.integers())
        ),
    ),
    max_leaves=12,
)
"""Plain Python, nested."""


@st.composite
def arrays(draw: st.DrawFn) -> Any:
    """NumPy arrays of every type, order and stride, and big enough to lie out of band or not."""
    dtype = draw(npst.scalar_dtypes() | npst.array_dtypes(max_size=2) | st.just(np.dtype(object)))
    shape = draw(npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))
    elements = st.integers() | st.text(max_size=3) | st.none() if dtype.hasobject else None
    array = draw(npst.arrays(dtype, shape, elements=elements))
    if array.ndim:
        array = np.repeat(array, draw(st.sampled_from([1, 300])), axis=0)
    if draw(st.booleans()):
        array = np.asfortranarray(array)
    for axis in range(array.ndim):
        array = np.moveaxis(
            np.moveaxis(array, axis, 0)[:: draw(st.sampled_from([1, 2, -1]))], 0, axis
        )
    return array.T if draw(st.booleans()) else array


def frames() -> dict[str, Any]:
    """What pandas has, by name: 3 rows, and 3,000, whose buffers lie out of band."""
    named: dict[str, Any] = {}
    for rows in (3, 3000):
        numbers: Any = np.arange(rows)
        hours = pd.date_range("2013-01-01", periods=rows, freq="h", tz="America/New_York")
        columns: dict[str, Any] = {
            "int": numbers,
            "small": numbers.astype("int8"),
            "float": np.where(numbers % 3 == 1, np.nan, numbers / 7),
            "bool": numbers % 2 == 0,
            "text": pd.array(
                [None if n % 3 == 1 else f"flight {n}" for n in numbers], dtype="string"
            ),
            "object": pd.Series(
                [{"n": n} if n % 2 else (n,) for n in numbers.tolist()], dtype=object
            ),
            "date": pd.date_range("2013-01-01", periods=rows, freq="min").where(numbers % 3 != 1),
            "zoned": hours,
            "seconds": hours.tz_localize(None).astype("datetime64[s]"),
            "delta": pd.to_timedelta(numbers, unit="s"),
            "category": pd.Categorical(np.array(["a", "b", None])[numbers % 3]),
            "ordered": pd.Categorical(
                np.array(["low", "high", None])[numbers % 3], ["low", "high"], ordered=True
            ),
            "nullable": pd.array(
                [None if n % 3 == 1 else n for n in numbers.tolist()], dtype="Int64"
            ),
            "nullable float": pd.array(
                [None if n % 3 == 1 else n / 3 for n in numbers.tolist()], dtype="Float64"
            ),
            "nullable bool": pd.array(
                [None if n % 3 == 1 else n % 2 == 0 for n in numbers.tolist()], dtype="boolean"
            ),
            "period": pd.period_range("2013-01", periods=rows, freq="D"),
            "interval": pd.interval_range(0, rows, periods=rows),
            "sparse": pd.arrays.SparseArray(np.where(numbers % 3 == 1, 1.5, 0.0)),
            "arrow": pd.Series([f"a{n}" for n in numbers]).astype(pd.ArrowDtype(pa.string())),
            "arrow lists": pd.Series(
                [[n, n + 1] for n in numbers.tolist()], dtype=pd.ArrowDtype(pa.list_(pa.int64()))
            ),
        }
        frame = pd.DataFrame(columns)
        named[f"frame of {rows}"] = frame
        for name in columns:
            named[f"series of {rows} {name}"] = frame[name]
        for name in (
            "int",
            "float",
            "text",
            "date",
            "zoned",
            "delta",
            "category",
            "period",
            "interval",
            "object",
        ):
            if name != "object":
                named[f"index of {rows} {name}"] = pd.Index(columns[name], name="of")
        named[f"multiindex of {rows}"] = frame.set_index(["int", "category", "zoned"])[
            ["float", "text"]
        ]
        named[f"hours of {rows}"] = pd.DataFrame({"a": numbers}, index=hours)
        named[f"multicolumns of {rows}"] = pd.DataFrame(
            {("a", 1): numbers, ("b", 2): numbers}
        ).rename_axis(columns=["x", "y"])
    named |= {
        "empty frame": pd.DataFrame(),
        "no rows": pd.DataFrame(
            {"a": pd.array([], dtype="Int64"), "b": pd.Series([], dtype="datetime64[ns]")}
        ),
        "no columns": pd.DataFrame(index=range(5)),
        "twice the same column": pd.DataFrame([[1, 2.5], [3, 4.5]], columns=["a", "a"]),
        "range": pd.RangeIndex(3, 30, 2, name="r"),
        "names that are no text": pd.DataFrame({0: [1], None: [2], ("a",): [3]}),
    }
    return named


def polars_values() -> dict[str, Any]:
    """What Polars has, by name."""
    named: dict[str, Any] = {}
    for rows in (3, 3000):
        n = list(range(rows))
        frame = pl.DataFrame(
            {
                "int": n,
                "tiny": pl.Series([i % 100 for i in n], dtype=pl.UInt8),
                "huge": pl.Series(n, dtype=pl.Int128),
                "float": [None if i % 3 == 1 else i / 7 for i in n],
                "nan": [math.nan if i % 3 == 1 else i / 7 for i in n],
                "text": [None if i % 3 == 1 else f"flight {i}" for i in n],
                "bytes": [str(i).encode() for i in n],
                "bool": [None if i % 3 == 1 else i % 2 == 0 for i in n],
                "date": [datetime.date(2013, 1, 1) + datetime.timedelta(i) for i in n],
                "time": [datetime.time(i % 24) for i in n],
                "zoned": [
                    datetime.datetime(2013, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(i)
                    for i in n
                ],
                "delta": [datetime.timedelta(seconds=i) for i in n],
                "decimal": [decimal.Decimal(i) / 4 for i in n],
                "category": pl.Series([f"c{i % 3}" for i in n], dtype=pl.Categorical),
                "enum": pl.Series(["ab"[i % 2] for i in n], dtype=pl.Enum(["a", "b", "never"])),
                "list": [[i, None] for i in n],
                "array": pl.Series([[i, i + 1] for i in n], dtype=pl.Array(pl.Int32, 2)),
                "struct": [{"x": i, "y": str(i)} for i in n],
                "deep": [[{"x": [i]}] for i in n],
                "null": pl.Series([None] * rows, dtype=pl.Null),
            },
        )
        named[f"frame of {rows}"] = frame
        named |= {f"frame of {rows} {name}": frame.select(name) for name in frame.columns}
        named |= {f"series of {rows} {name}": frame[name] for name in frame.columns}
        named[f"slice of {rows}"] = frame.slice(1, rows // 2)
        named[f"chunks of {rows}"] = pl.concat([frame, frame], rechunk=False)
    return named | {
        "empty": pl.DataFrame(),
        "no rows": pl.DataFrame(schema={"a": pl.Int8, "b": pl.Categorical}),
        "no name": pl.Series([1]),
    }


def arrow_values() -> dict[str, Any]:
    """What PyArrow has, by name."""
    named: dict[str, Any] = {}
    for rows in (3, 3000, 30000):
        n = list(range(rows))
        table = pa.table(
            {
                "int": n,
                "text": [None if i % 3 == 1 else f"flight {i}" for i in n],
                "bool": [i % 2 == 0 for i in n],
                "dictionary": pa.array([f"c{i % 3}" for i in n]).dictionary_encode(),
                "list": [[i, None] for i in n],
                "time": pa.array(n, pa.timestamp("us", tz="UTC")),
            },
            metadata={"made": "here"},
        )
        named[f"table of {rows}"] = table
        named[f"slice of {rows}"] = table.slice(1, 2)
        named[f"chunks of {rows}"] = pa.concat_tables([table, table.slice(2)])
        named[f"column of {rows}"] = table.column("text")
        named[f"slice of a column of {rows}"] = table.column("text").slice(1, 1)
        named[f"array of {rows}"] = pa.array(n)
        named[f"slice of an array of {rows}"] = pa.array([str(i) for i in n])[1:3]
        named[f"batch of {rows}"] = table.to_batches()[0]
    return named | {
        "empty": pa.table({}),
        "no rows": pa.table({"a": pa.array([], pa.int8())}),
        "no chunks": pa.chunked_array([], pa.string()),
    }


def objects() -> dict[str, Any]:
    """Everything else."""
    return {
        "figure": go.Figure(
            go.Scatter(x=np.arange(3000), y=np.arange(3000) / 7),
            layout={"title": {"text": "Delays"}},
        ),
        "model": Model("m", np.arange(9)),
        "models": {"a": Model("a", np.zeros(3000)), "b": [Model("b", None)]},
        "plan": Plan([Route("JFK", ("ORD",), "night")], {"mon": 1}),
        "enum": [Colour.RED, Rights.READ | Rights.WRITE],
        "ordered": OrderedDict(b=np.zeros(3000), a=1),
        "default": defaultdict(list, a=[1]),
        "path": pathlib.PurePosixPath("/srv/data"),
        "zone": zoneinfo.ZoneInfo("Europe/Berlin"),
        "uuid": uuid.UUID(int=7),
        "fraction": fractions.Fraction(1, 3),
        "big bytes": bytes(100_000),
        "bytearray": bytearray(b"ab" * 5000),
        "numpy scalar": np.float32(1.5),
        "numpy date": np.datetime64("2013-01-01T00:00"),
        "masked": np.ma.MaskedArray(np.arange(3000), mask=np.arange(3000) % 2 == 0),
        "class": Model,
        "none": None,
        "empty dict": {},
        "empty list": [],
        "empty text": "",
        "dict of frames": {
            "df_1": pd.DataFrame({"a": np.arange(3000)}),
            "df_2": pd.DataFrame({"b": np.arange(3000.0)}),
            "n": 1,
        },
        "list of arrays": [np.arange(3000), np.zeros((50, 50)), None, "text"],
        "dict that is too long to split": {str(n): n for n in range(20_000)},
        "dict of numbers": {n: np.arange(1000) + n for n in range(3)},
        "tuple of arrays": (np.arange(3000), np.arange(3000)),
    }
