"""A change of any one thing of a value makes another key, or there is none.

A copy has the same key, however it is made.
"""

from __future__ import annotations

import copy
import datetime
import decimal
import functools
import json
import pathlib
import pickle
import re
import uuid
import zoneinfo
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dash_stash import keys
from support import run_python
from unit import changing, values


def key(value: object) -> bytes | None:
    """The key, None if there is none."""
    try:
        return keys.of_value(value, "x")
    except keys.NoKey:
        return None


def changes_without_effect(value: object) -> list[str]:
    own = key(value)
    assert own is not None
    return [what for what, changed in changing.changed(value) if key(changed) == own]


@given(values.plain)
def test_a_change_anywhere_in_plain_data_is_another_key(value: object) -> None:
    assert not changes_without_effect(value)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")  # of what Hypothesis draws
@given(values.arrays().filter(lambda array: array.size <= 30))
def test_a_change_anywhere_in_an_array_is_another_key(array: object) -> None:
    assert not changes_without_effect(array)


def specimens() -> Iterator[tuple[str, Any]]:
    """Yield values of every kind, small ones, new at each call."""
    for cases in (values.frames, values.polars_values, values.arrow_values):
        for name, value in cases().items():
            if (
                not isinstance(value, pa.RecordBatch)
                and len(value) <= 6
                and name not in ("frame of 3", "chunks of 3")
            ):
                yield f"{cases.__name__}: {name}", value
    yield from _arrays()
    yield from _frames()
    yield from _columns()
    yield from _others()


@functools.cache
def made(time: int) -> dict[str, Any]:
    """Return the specimens by name, new ones for each *time*."""
    return dict(specimens())


def _arrays() -> Iterator[tuple[str, Any]]:
    pair = [("name", object), ("n", "i8")]
    yield "structured", np.array([(1, 2.5), (3, 4.5)], [("a", "i4"), ("b", "f8")])
    yield "structured, with objects", np.array([("JFK" * 9, 1), ("ORD" * 9, 2)], pair)
    yield (
        "structured, nested",
        np.array([((1, "ab"), [1, 2])], [("a", [("x", "i2"), ("y", "U3")]), ("b", "f4", (2,))]),
    )
    yield (
        "structured, aligned",
        np.array([(1, 2.0), (3, 4.0)], np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    )
    yield "structured scalar", np.array([("a", 1)], pair)[0]
    yield "text of any length", np.array(["a" * 50, "b"], np.dtypes.StringDType())
    yield (
        "text of any length, None",
        np.array(["a" * 50, None], np.dtypes.StringDType(na_object=None)),
    )
    yield (
        "text of any length, not coerced",
        np.array(["a" * 50], np.dtypes.StringDType(coerce=False)),
    )
    yield "long double", np.array([1, 3], np.longdouble) / 7
    yield "long complex", np.array([1, 3j], np.clongdouble) / 7
    yield "objects", np.array([[1, "a"], [None, (2,)]], object)
    yield "fortran", np.asfortranarray(np.arange(6).reshape(2, 3))
    yield "masked", np.ma.MaskedArray([1, 2, 3], mask=[False, True, False])
    yield "masked, nothing", np.ma.MaskedArray([1.5, 2, 3], mask=[False] * 3)
    yield (
        "masked, structured",
        np.ma.MaskedArray(
            [(1, 2), (3, 4)], mask=[(False, True), (False, False)], dtype=[("a", "i4"), ("b", "i4")]
        ),
    )


def _frames() -> Iterator[tuple[str, Any]]:
    frame = pd.DataFrame(
        {"a": [1, 2, 3], "b": ["x", "y", None]},
        index=pd.date_range("2013-01-01", periods=3, freq="D"),
    )
    frame.attrs["unit"] = {"a": "m"}
    yield "frame with attrs and freq", frame
    yield (
        "frame of business days",
        frame.set_axis(pd.bdate_range("2013-01-01", periods=3, freq="C", holidays=["2013-01-02"])),
    )
    yield (
        "frame of odd offsets",
        frame.set_axis(pd.date_range("2013-01-01", periods=3, freq=pd.DateOffset(months=1, day=3))),
    )


_NOT_IN_PANDAS = {
    *("list view", "text view", "months, days, nanoseconds"),  # it takes no elements of these
    *(("uuid", "tensors") if pd.__version__ < "3" else ()),  # pandas 2 cannot compare these
}


def _columns() -> Iterator[tuple[str, Any]]:
    named: dict[str, Any] = {
        "sparse objects": pd.arrays.SparseArray(np.array([1, "b", 1], object), fill_value=1),
        "intervals of moments": pd.arrays.IntervalArray.from_breaks(
            pd.date_range("2013-01-01", periods=4)
        ),
        "text, python": pd.array(["a", "b\ud800", None], dtype=pd.StringDtype("python")),
        "text, python, nan": pd.array(["a", "b", None], dtype=pd.StringDtype("python", np.nan)),
        "text, pyarrow": pd.array(["a", "b", None], dtype=pd.StringDtype("pyarrow")),
        "text, pyarrow, nan": pd.array(["a", "b", None], dtype=pd.StringDtype("pyarrow", np.nan)),
        "categories of numbers": pd.Categorical([1, 2, None]),
        "moments in dateutil's zone": pd.date_range(
            "2013-01-01", periods=3, tz="dateutil/Europe/Berlin"
        ),
    }
    yield from ((name, pd.Series(array)) for name, array in named.items())
    for name, array in _arrow_arrays():
        yield f"pyarrow: {name}", array
        if name not in _NOT_IN_PANDAS:
            yield f"pandas of pyarrow: {name}", pd.Series(pd.arrays.ArrowExtensionArray(array))
    nested = pl.Series([[1001, 1002], [], None, [1001]])
    for dtype in (pl.Datetime("ns"), pl.Duration("ns"), pl.Time):
        yield f"polars: lists of {dtype}", nested.cast(pl.List(dtype))
        yield (
            f"polars: struct of {dtype}",
            pl.DataFrame({"a": [1001, None, 1002]}).cast(dtype).to_struct("s"),
        )
    yield (
        "polars: frame",
        pl.DataFrame({"a": [1, None, 3], "b": ["x", "y", None], "c": [[1], [], None]}),
    )
    yield (
        "polars: arrays of arrays",
        pl.Series([[[1, 2], [3, 4]], None], dtype=pl.Array(pl.Array(pl.Int8, 2), 2)),
    )
    yield (
        "polars: named categories",
        pl.Series(["a", "b"], dtype=pl.Categorical(pl.Categories("carriers"))),
    )
    yield "polars: big", pl.Series([2**100, 2**100 + 1], dtype=pl.UInt128)


def _arrow_arrays() -> Iterator[tuple[str, Any]]:
    numbers = pa.array([1001, None, 1002])
    for dtype in (
        pa.timestamp("ns"),
        pa.timestamp("ns", "UTC"),
        pa.time64("ns"),
        pa.duration("ns"),
        pa.date64(),
        pa.float16(),
    ):
        yield (
            str(dtype),
            numbers.cast(dtype)
            if dtype != pa.date64()
            else pa.array([0, None, 86_400_000]).cast(dtype),
        )
    yield (
        "lists of moments",
        pa.array([[1001], None, [], [1002, None]], pa.list_(pa.timestamp("ns"))),
    )
    yield "lists of two", pa.array([[1, 2], None, [3, None]], pa.list_(pa.int8(), 2))
    yield "list view", pa.array([[1, 2], [3]], pa.list_view(pa.int8()))
    yield (
        "map",
        pa.array([[("a", 1)], None, [("a", 2), ("b", None)]], pa.map_(pa.string(), pa.int64())),
    )
    yield "struct", pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}])
    yield "text view", pa.array(["a", None, "b" * 50], pa.string_view())
    yield "fixed bytes", pa.array([b"ab", None, b"cd"], pa.binary(2))
    yield (
        "decimal",
        pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("-1.51")], pa.decimal128(9, 2)),
    )
    yield (
        "months, days, nanoseconds",
        pa.array([pa.MonthDayNano([1, 2, 3]), None, pa.MonthDayNano([1, 2, 4])]),
    )
    yield (
        "dictionary",
        pa.DictionaryArray.from_arrays(
            pa.array([0, None, 1], pa.int8()), pa.array(["a", "b", "never"])
        ),
    )
    yield "uuid", pa.array([b"0" * 16, None, b"1" * 16], pa.uuid())
    yield (
        "tensors",
        pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.int8(), [2]),
            pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2)),
        ),
    )


def _others() -> Iterator[tuple[str, Any]]:
    zones = (
        datetime.UTC,
        zoneinfo.ZoneInfo("Europe/Berlin"),
        datetime.timezone(datetime.timedelta(hours=1), "CET"),
    )
    yield from (
        (f"moment, {zone}", datetime.datetime(2013, 10, 27, 2, tzinfo=zone)) for zone in zones
    )
    yield "pandas moment", pd.Timestamp("2013-01-01 00:00:00.000000001")
    yield "mapping", {"b": OrderedDict(a=1), "a": defaultdict(list, n=[1]), "u": uuid.UUID(int=7)}
    yield "path", pathlib.PurePosixPath("/srv/data")
    yield "pattern", re.compile("JFK|ORD", re.IGNORECASE)
    yield "window", deque([1, 2], maxlen=2)
    yield "sets", [{"AA", "UA", "DL"}, frozenset({1, 2.5, None})]
    yield "plan", values.Plan([values.Route("JFK", ("ORD",), "late")], {"mon": 1})
    yield "enums", [values.Colour.RED, values.Rights.READ | values.Rights.WRITE, values.Rights(0)]
    yield "point", values.Point(1, 2.5)


@pytest.mark.parametrize(
    ("name", "value"), made(1).items(), ids=lambda case: case if isinstance(case, str) else ""
)
def test_a_change_anywhere_in_a_value_of_a_library_is_another_key(name: str, value: Any) -> None:
    assert not changes_without_effect(value)


def test_all_that_is_tried_is_changed_in_many_ways() -> None:
    """Otherwise the tests above prove nothing."""
    tried = Counter(
        what.rpartition(": ")[2]
        for value in made(1).values()
        for what, _ in changing.changed(value)
    )
    assert len(tried) > 20
    assert (
        min(
            tried[what]
            for what in (
                "element",
                "order",
                "type",
                "name",
                "metadata",
                "attrs",
                "freq",
                "levels",
                "missing",
            )
        )
        > 1
    )


@pytest.mark.parametrize(
    ("name", "value"), made(1).items(), ids=lambda case: case if isinstance(case, str) else ""
)
def test_a_copy_and_one_made_anew_have_the_same_key(name: str, value: Any) -> None:
    assert (
        key(made(2)[name])
        == key(copy.copy(value))
        == key(copy.deepcopy(value))
        == key(pickle.loads(pickle.dumps(value)))
        == key(value)
    )


@pytest.mark.parametrize("seed", ["0", "2013"])
def test_keys_are_the_same_in_every_process(seed: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "values").write_bytes(pickle.dumps(made(1)))
    code = """
    import json, pathlib, pickle, sys
    from unit import test_keys_changes as tests
    loaded = pickle.loads(pathlib.Path(sys.argv[1]).read_bytes())
    both = tests.specimens(), loaded.items()
    print(json.dumps([{name: tests.key(value).hex() for name, value in each} for each in both]))
    """
    there, loaded = json.loads(run_python(code, tmp_path / "values", PYTHONHASHSEED=seed))
    own = {name: must_key(value).hex() for name, value in made(1).items()}
    assert there == loaded == own


def must_key(value: object) -> bytes:
    return keys.of_value(value, "x")


@given(st.data())
def test_how_a_column_is_cut_into_chunks_does_not_matter(data: st.DataObject) -> None:
    name, table = data.draw(
        st.sampled_from([(name, pa.table({"a": array})) for name, array in _arrow_arrays()])
    )
    cut = data.draw(st.integers(0, len(table)))
    rows = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    assert key(rows) == key(table), name
    assert key(pa.concat_tables([table, table]).slice(len(table))) == key(table)


def test_how_a_polars_frame_is_cut_into_chunks_does_not_matter() -> None:
    columns = [
        column for column in made(1).values() if isinstance(column, pl.Series) and len(column) == 3
    ]
    frame = pl.DataFrame({f"c{n}": column for n, column in enumerate(columns)})
    assert frame.width > 20
    assert (
        key(pl.concat([frame[:1], frame[1:]], rechunk=False))
        == key(pl.concat([frame, frame])[3:])
        == key(frame)
    )
