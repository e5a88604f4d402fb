"""Keys of frames and containers: written down, and the paths of values that have none."""

from __future__ import annotations

import datetime
import decimal
import pathlib
import zoneinfo
from collections import OrderedDict, defaultdict, deque
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from dash_stash import keys

_THING = object()
_UNION = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])


def _with_attribute(frame: pd.DataFrame) -> pd.DataFrame:
    frame.attrs["source"] = [_THING]
    return frame


def _zone_of_a_file() -> datetime.tzinfo:
    place = next(
        found
        for folder in zoneinfo.TZPATH
        if (found := pathlib.Path(folder, "Europe/Berlin")).exists()
    )
    with place.open("rb") as file:
        return zoneinfo.ZoneInfo.from_file(file)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (OrderedDict(a=_THING), "x['a']"),
        (defaultdict(int, a=_THING), "x['a']"),
        (defaultdict(lambda: 0), "x.default_factory"),
        (deque([1, _THING]), "x[1]"),
        ({_THING}, "x"),
        (slice(1, _THING), "x.stop"),
        ((1, _THING), "x[1]"),
        (datetime.datetime(2013, 1, 1, tzinfo=_zone_of_a_file()), "x.tzinfo"),
        (np.array([[1, _THING]], object), "x.flat[1]"),
        (np.array([(1, _THING)], [("a", "i4"), ("b", object)]), "x['b'].flat[0]"),
        (np.ma.MaskedArray([1, _THING], [False, True], object), "x.data.flat[1]"),
        (_with_attribute(pd.DataFrame({"a": [1]})), "x.attrs['source'][0]"),
        (pd.DataFrame([[1]], columns=[_THING]), "x.columns[0]"),
        (pd.Series([1], name=(1, _THING)), "x.name[1]"),
        (pd.Series([1], index=pd.Index([1], name=(_THING,))), "x.index.names[0][0]"),
        (pd.Series([1], index=pd.Index([_THING])), "x.index[0]"),
        (pd.Series([1], index=pd.MultiIndex.from_tuples([(1, _THING)])), "x.index.levels[0]"),
        (pd.Series(pd.Categorical([_THING])), "x.cat.categories[0]"),
        (pd.Series([1, _THING]), "x[1]"),
        (pl.DataFrame({"a": pl.Series([_THING], dtype=pl.Object)}), "x['a']"),
        (pl.Series("s", [_THING], dtype=pl.Object), "x"),
        (_UNION, "x"),
        (pa.table({"u": _UNION}), "x['u']"),
    ],
)
def test_what_has_no_key_is_found_by_its_path(value: Any, path: str) -> None:
    with pytest.raises(keys.NoKey) as caught:
        keys.of_value(value, "x")
    assert caught.value.path == path


_ARROW = {
    "numbers": pa.array([1, None], pa.int32()),
    "texts": pa.array(["a", "bc"]),
    "moments": pa.array([1], pa.timestamp("s", "UTC")),
    "days": pa.array([1], pa.date32()),
    "times": pa.array([1], pa.time32("s")),
    "lengths": pa.array([1], pa.duration("ms")),
    "money": pa.array([decimal.Decimal("1.50")]),
    "lists": pa.array([[1], [], None]),
    "records": pa.array([{"a": 1}]),
    "words": pa.array(["a", "b"]).dictionary_encode(),
    "flags": pa.array([True, False]),
    "bytes": pa.array([b"a"]),
    "nothing": pa.nulls(2),
}
_POLARS = {
    "numbers": pl.Series("s", [1, None]),
    "texts": pl.Series("s", ["a", "bc"]),
    "moments": pl.Series("s", [datetime.datetime(2013, 1, 1)]),  # noqa: DTZ001
    "money": pl.Series("s", [decimal.Decimal("1.50")]),
    "lists": pl.Series("s", [[1], [], None]),
    "records": pl.Series("s", [{"a": 1}]),
    "words": pl.Series("s", ["a", "b"], dtype=pl.Enum(["a", "b"])),
    "bytes": pl.Series("s", [b"a"]),
    "flags": pl.Series("s", [True, False]),
    "a frame": pl.DataFrame({"a": [1], "b": ["x"]}),
}
_PANDAS = {
    "numbers": pd.Series([1, 2]),
    "words": pd.Series(pd.Categorical([1, 2])),
    "moments": pd.Series(np.array([1, 2], "datetime64[s]")),
    "missing": pd.Series([1, None], dtype="Int64"),
    "levels": pd.Series([1], index=pd.MultiIndex.from_tuples([(1, 2)])),
    "a period": pd.Series(pd.PeriodIndex(["2013-01"], freq="M")),
    "an interval": pd.Series(pd.interval_range(0, 1)),
    "sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1])),
    "an index": pd.Index([1, 2]),
    "a range": pd.RangeIndex(0, 6, 2),
    "a moment": pd.Timestamp("2013-01-01", tz="UTC").as_unit("s"),
    "a length": pd.Timedelta(1, "s").as_unit("s"),
    "a frame": pd.DataFrame({0: [1], 1: [1.5]}),
}


_ARROW_KEYS = """
7d1fd0e9 8c47a177 a95c601b 767b812a c48431e0 8e3fbf2f 4b58feeb 459bb517 a092ff23 d2538afe
b616ba08 7405132a ac6076ec
"""
_POLARS_KEYS = """
c645c931 70409649 2839240c 29def67d d10b77da 21cb113c f6b148fb b78ba9c3 9071277f 477087a3
"""
_PANDAS_KEYS = {
    "2": """
b487b89b 9cfbb61c 84526c78 19299f60 978e11bb 8fe655f6 46714eeb 34cebbc0 f417e247 936b23b0
fdd3db49 f7116d19 cb5e4ca2
""",
    "3": """
b487b89b da0aa1d1 84526c78 2ad6fa6d 978e11bb 165d4e6b 90a9d4ff 7f83ee80 f417e247 936b23b0
fdd3db49 f7116d19 badd296b
""",
}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (_ARROW, _ARROW_KEYS),
        (_POLARS, _POLARS_KEYS),
        (_PANDAS, _PANDAS_KEYS[pd.__version__[0]]),
    ],
    ids=["arrow", "polars", "pandas"],
)
def test_keys_of_frames_are_those_of_earlier_versions(
    values: dict[str, Any], expected: str
) -> None:
    """A change, of ours or a library's, makes whoever upgrades compute again: so say it."""
    made = {name: keys.of_value(value, "x").hex()[:8] for name, value in values.items()}
    assert made == dict(zip(values, expected.split(), strict=True))
