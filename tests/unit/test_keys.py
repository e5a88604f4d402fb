"""Keys: equal values have equal keys, in every process.

Values that a function could tell apart have different keys, or none.
"""

from __future__ import annotations

import copy
import datetime
import decimal
import itertools
import math
import pathlib
from collections import deque
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dash_stash import keys
from dash_stash.keys import NoKey
from unit import values


def key(value: object) -> bytes:
    return keys.of_value(value, "x")


@given(values.plain)
def test_a_copy_has_the_same_key(value: object) -> None:
    assert key(copy.deepcopy(value)) == key(value)


@given(values.plain, values.plain)
def test_what_is_not_the_same_has_another_key(one: object, other: object) -> None:
    assume(not values.same(one, other))
    # Equal sets have one key, whatever the order of their elements.
    assume(type(one) is not type(other) or one != other or isinstance(one, float))
    assert key(one) != key(other)


def test_a_key_has_sixteen_bytes() -> None:
    assert len(key("value")) == len(keys.digest(b"part", b"part")) == 16


_DIFFERENT: list[Any] = [
    *(
        1,
        1.0,
        True,
        1 + 0j,
        np.int64(1),
        np.float64(1),
        np.bool_(True),
        decimal.Decimal(1),
        "1",
        b"1",
        np.str_("1"),
    ),
    *(
        0,
        0.0,
        -0.0,
        False,
        None,
        ...,
        "",
        b"",
        (),
        [],
        {},
        set(),
        range(0),
        math.nan,
        pd.NaT,
        pd.NA,
    ),
    *(
        [1, 2],
        (1, 2),
        deque([1, 2]),
        {1, 2},
        {1: 2},
        [[1, 2]],
        [[1], 2],
        [1, [2]],
        ["1", "2"],
        ["12"],
        ["1", "", "2"],
        "12",
    ),
    *({"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": {"b": 1}}, {"a": ["b", 1]}, [("a", 1), ("b", 2)]),
    *(
        datetime.date(2013, 1, 1),
        datetime.datetime(2013, 1, 1),  # noqa: DTZ001
        datetime.datetime(2013, 1, 1, tzinfo=datetime.UTC),
    ),
    *(
        datetime.datetime(2013, 1, 1, fold=1),  # noqa: DTZ001
        datetime.time(1),
        datetime.timedelta(1),
        pd.Timestamp("2013-01-01"),
        "2013-01-01",
    ),
    *(
        values.Colour.RED,
        values.Rights.READ,
        values.Rights.READ | values.Rights.WRITE,
        values.Route("a"),
        values.Route("b"),
    ),
    *(values.Point(1, 2), (1.0, 2.0), pathlib.PurePosixPath("a"), "a", slice(1, 2), slice(1, 2, 1)),
    *(
        np.array([1, 2]),
        np.array([1, 2], "int32"),
        np.array([[1, 2]]),
        np.array([[1], [2]]),
        np.array([1, 2], object),
    ),
    *(
        np.array([1, 2], ">i8"),
        np.array([1, 2], "datetime64[s]"),
        np.array([1, 2], "datetime64[ms]"),
        np.array(1),
        np.array([]),
    ),
    *(
        np.array([(1, 2)], "i4,i4"),
        np.array([(1, 2)], [("a", "i4"), ("b", "i4")]),
        np.zeros((0, 3)),
        np.zeros((3, 0)),
    ),
]


def test_values_that_look_alike_have_keys_of_their_own() -> None:
    for one, other in itertools.combinations(_DIFFERENT, 2):
        assert key(one) != key(other), (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({3, 1, 2}, {1, 2, 3}),
        (frozenset("abc"), frozenset("cba")),
        (math.nan, float("nan")),
        ([math.nan], [-math.nan]),
        (np.float64(math.nan), np.float64(-math.nan)),
        (np.arange(10)[::2], np.array([0, 2, 4, 6, 8])),
        (np.arange(6)[::-1], np.array([5, 4, 3, 2, 1, 0])),
        (np.arange(6)[::2].reshape(3, 1), np.array([[0], [2], [4]])),
        (np.asfortranarray(np.arange(6).reshape(2, 3)), np.arange(6).reshape(2, 3).copy(order="F")),
        (np.asfortranarray([[1, 2]]), np.array([[1, 2]])),
    ],
)
def test_what_means_the_same_has_the_same_key(one: object, other: object) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    "cases",
    [values.frames, values.polars_values, values.arrow_values],
    ids=lambda cases: cases.__name__,
)
def test_frames_of_equal_content_have_equal_keys_and_others_have_others(cases: Any) -> None:
    kinds = (pa.RecordBatch,)  # without a key
    named = {name: value for name, value in cases().items() if not isinstance(value, kinds)}
    made = {name: key(value) for name, value in named.items()}
    again = {name: key(value) for name, value in cases().items() if name in named}
    assert again == made
    for (name, one), (other_name, other) in itertools.combinations(made.items(), 2):
        assert one != other or values.same(named[name], named[other_name]), (name, other_name)


def test_the_order_of_columns_and_rows_and_the_names_of_an_index_count() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    others = [
        frame[["b", "a"]],
        frame[::-1],
        frame.rename_axis("i"),
        frame.rename_axis(columns="c"),
        frame.astype("int32"),
        frame + 1,
    ]
    assert len({key(value) for value in [frame, *others]}) == len(others) + 1


def test_frames_with_another_block_layout_have_the_same_key() -> None:
    whole = pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": [5, 6]})
    grown = pd.DataFrame({"a": [1, 2]})
    grown["b"] = [3, 4]
    grown["c"] = [5, 6]
    assert key(grown) == key(whole) == key(whole.copy())
    sliced = pd.DataFrame({"z": [0, 0], "a": [1, 2], "b": [3, 4], "c": [5, 6]})[["a", "b", "c"]]
    assert key(sliced) == key(whole)


def test_an_ordered_category_is_another_than_an_unordered_one() -> None:
    """`df["size"].max()` works for one and raises for the other."""
    plain = pd.Series(pd.Categorical(["low", "high"]))
    ordered = plain.cat.as_ordered()
    assert key(plain) != key(ordered)
    assert key(pd.DataFrame({"a": plain})) != key(pd.DataFrame({"a": ordered}))
    assert key(pd.CategoricalIndex(plain)) != key(pd.CategoricalIndex(ordered))


def test_text_that_is_cut_elsewhere_is_other_text() -> None:
    for dtype in ("str", "string", object, pd.ArrowDtype(pa.string())):
        assert key(pd.Series(["a", "bc"]).astype(dtype)) != key(
            pd.Series(["ab", "c"]).astype(dtype)
        )
        assert key(pd.Series(["a", None]).astype(dtype)) != key(
            pd.Series([None, "a"]).astype(dtype)
        )


def test_long_lists_that_differ_in_the_middle_have_other_keys() -> None:
    numbers = list(range(3000))
    changed = [*numbers[:1500], -1, *numbers[1501:]]
    dtype = pd.ArrowDtype(pa.list_(pa.int64()))
    assert key(pd.Series([numbers], dtype=dtype)) != key(pd.Series([changed], dtype=dtype))
    assert key(pl.Series([numbers])) != key(pl.Series([changed]))


def test_a_frame_is_known_by_its_values_not_by_what_lies_under_missing_ones() -> None:
    made = pl.DataFrame({"a": [1, None, 3]})
    masked = pl.DataFrame({"a": [1, 2, 3]}).with_columns(
        pl.when(pl.col("a") != 2).then(pl.col("a")).alias("a")
    )
    assert made.equals(masked)
    assert key(made) == key(masked)
    assert key(pa.array([1, None, 3])) == key(
        pa.array([1, 2, 3], mask=np.array([False, True, False]))
    )


def test_a_slice_has_the_key_of_its_content() -> None:
    table = pa.table({"a": [1, 2, 3], "t": ["x", "yy", "z"], "b": [True, False, None]})
    assert key(table.slice(1)) == key(pa.table({"a": [2, 3], "t": ["yy", "z"], "b": [False, None]}))
    frame = pl.DataFrame({"a": [1, 2, 3], "t": ["x", "yy", "z"]})
    assert key(frame[1:]) == key(pl.DataFrame({"a": [2, 3], "t": ["yy", "z"]}))
    assert key(pl.concat([frame[:1], frame[1:]], rechunk=False)) == key(frame)
    assert key(pd.DataFrame({"a": [1, 2, 3]})[1:]) == key(
        pd.DataFrame({"a": [2, 3]}, index=pd.RangeIndex(1, 3))
    )


def test_a_slice_of_yes_and_no_has_the_key_of_its_content() -> None:
    frame = pl.DataFrame({"b": [True, False, None, True]})
    assert frame[1:].equals(pl.DataFrame({"b": [False, None, True]}))
    assert key(frame[1:]) == key(pl.DataFrame({"b": [False, None, True]}))


def test_masked_arrays_that_mask_other_elements_have_other_keys() -> None:
    def keys_of(mask: list[bool]) -> bytes:
        return key(np.ma.MaskedArray([1, 2, 3], mask=mask))

    assert len({keys_of([False] * 3), keys_of([False, True, False]), key(np.array([1, 2, 3]))}) == 3


def test_arrays_of_variable_text_have_the_key_of_their_text() -> None:
    dtype = np.dtypes.StringDType()
    assert key(np.array(["a", "b" * 50], dtype)) == key(np.array(["a", "b" * 50], dtype))
    assert key(np.array(["a", "b" * 50], dtype)) != key(np.array(["a", "c" * 50], dtype))


_NO_KEY: dict[str, tuple[object, str, str]] = {
    "object": (object(), "x", "builtins.object"),
    "generator": ((n for n in "a"), "x", "builtins.generator"),
    "function": ({"f": len}, "x['f']", "builtins.builtin_function_or_method"),
    "deep": ([1, {"a": (2, object())}], "x[1]['a'][1]", "builtins.object"),
    "dataclass": (
        values.Plan(routes=[], days={"mon": object()}),  # type: ignore[dict-item]
        "x.days['mon']",
        "builtins.object",
    ),
    "plain class": (values.Model("m", 1), "x", "unit.values.Model"),
    "text subclass": (type("Text", (str,), {})("a"), "x", "Text"),
    "object column": (pd.DataFrame({"a": [object()]}), "x.iloc[:, 0][0]", "builtins.object"),
    "object array": (np.array([1, object()], object), "x.flat[1]", "builtins.object"),
}


@pytest.mark.parametrize(("value", "path", "kind"), _NO_KEY.values(), ids=_NO_KEY)
def test_what_has_no_value_has_no_key_and_is_named_by_its_path(
    value: object, path: str, kind: str
) -> None:
    with pytest.raises(NoKey) as caught:
        key(value)
    assert caught.value.path == path
    assert kind in caught.value.kind


def test_a_polars_frame_of_python_objects_has_no_key() -> None:
    with pytest.raises(NoKey):
        key(pl.DataFrame({"a": pl.Series([object()], dtype=pl.Object)}))


def test_a_container_that_holds_itself_has_no_key() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(NoKey, match="holds itself"):
        key(value)


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_the_borders_of_what_is_digested_count(one: list[bytes], other: list[bytes]) -> None:
    assert (keys.digest(*one) == keys.digest(*other)) == (one == other)
