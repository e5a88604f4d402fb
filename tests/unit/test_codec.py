"""The codec: what goes in comes out, equal in value and type, in memory of the reader's own."""

from __future__ import annotations

import array
import io
import pathlib
import socket
import sqlite3
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse  # type: ignore[import-untyped]
from hypothesis import given, settings

from dash_stash import PartMissing, Unstorable
from dash_stash.codec import Encoded, Segment, decode, encode
from unit import values


def _stored(value: object) -> Encoded:
    """Encode a value and move it to memory of its own, as a store does."""
    encoded = encode(value)
    segments = (
        Segment(bytes(part.header), [memoryview(bytearray(buffer)) for buffer in part.buffers])
        for part in encoded.segments
    )
    return Encoded(encoded.shape, encoded.names, tuple(segments))


def round_trip(value: object) -> Any:
    return decode(_stored(value))


def _size(encoded: Encoded) -> int:
    return sum(len(part.header) + sum(map(len, part.buffers)) for part in encoded.segments)


@given(values.plain)
def test_plain_values_come_back_the_same(value: object) -> None:
    assert values.same(round_trip(value), value)


@given(values.arrays())
def test_arrays_come_back_the_same_and_can_be_written_to(array: Any) -> None:
    loaded = round_trip(array)
    assert values.same(loaded, array)
    assert loaded.flags.writeable


@pytest.mark.parametrize(
    ("name", "value"),
    values.frames().items(),
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_what_pandas_has_comes_back_the_same(name: str, value: object) -> None:
    assert values.same(round_trip(value), value)


@pytest.mark.parametrize(
    ("name", "value"),
    values.polars_values().items(),
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_what_polars_has_comes_back_the_same(name: str, value: object) -> None:
    assert values.same(round_trip(value), value)


@pytest.mark.parametrize(
    ("name", "value"),
    values.arrow_values().items(),
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_what_arrow_has_comes_back_the_same(name: str, value: object) -> None:
    assert values.same(round_trip(value), value)


@pytest.mark.parametrize(
    ("name", "value"),
    values.objects().items(),
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_everything_else_comes_back_the_same(name: str, value: object) -> None:
    assert values.same(round_trip(value), value)


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_order_of_an_array_is_kept(order: Any) -> None:
    for dtype in ("float64", "datetime64[ns]", ">i4"):
        loaded = round_trip(np.zeros((60, 70), dtype, order=order))
        assert loaded.flags.c_contiguous == (order == "C")


@pytest.mark.parametrize("rows", [4, 4000])
def test_a_frame_made_of_a_read_only_array_can_be_changed_when_it_is_loaded(rows: int) -> None:
    array = np.arange(rows)
    array.flags.writeable = False
    frame = round_trip(pd.DataFrame({"a": array}))
    frame.loc[0, "a"] = 7
    assert frame["a"].to_list() == [7, *range(1, rows)]


_MUTATIONS: dict[str, Callable[[Any], object]] = {
    "iloc": lambda df: df.iloc.__setitem__((0, 0), 99),
    "loc enlarging": lambda df: df.loc.__setitem__(10**6, [9] * df.shape[1]),
    "inplace": lambda df: df.replace(1, 5, inplace=True),  # noqa: PD002 (users do)
    "column": lambda df: df.__setitem__("a", 0),
    "augmented": lambda df: df.__setitem__("a", df["a"].__imul__(3)),
}


@pytest.mark.parametrize("rows", [4, 4000])
@pytest.mark.parametrize("mutate", _MUTATIONS.values(), ids=_MUTATIONS)
def test_every_way_to_change_a_loaded_frame_works(
    mutate: Callable[[Any], object], rows: int
) -> None:
    frame = pd.DataFrame({"a": np.arange(rows), "b": np.arange(rows) + 1})
    loaded, expected = round_trip(frame), frame.copy()
    mutate(loaded)
    mutate(expected)
    assert values.same(loaded, expected)
    assert values.same(round_trip(frame), frame)


_BIG: dict[str, Callable[[], Any]] = {
    "array": lambda: np.zeros(100_000),
    "dates": lambda: np.zeros(100_000, "datetime64[s]"),
    "every second": lambda: np.zeros(200_000)[::2],
    "frame": lambda: pd.DataFrame(
        {"a": np.zeros(50_000), "d": pd.date_range("2000", periods=50_000, freq="s")}
    ),
    "text": lambda: pd.Series([f"some text {n}" for n in range(50_000)], dtype=values.TEXT),
    "arrow": lambda: pa.table({"a": np.zeros(100_000)}),
    "polars": lambda: pl.DataFrame({"a": np.zeros(100_000), "b": np.zeros(100_000)}),
    "polars series": lambda: pl.Series("s", np.zeros(100_000)),
}


@pytest.mark.parametrize("make", _BIG.values(), ids=_BIG)
def test_big_buffers_lie_outside_the_header(make: Callable[[], Any]) -> None:
    encoded = encode(make())
    assert sum(len(part.header) for part in encoded.segments) < 5000
    assert sum(len(buffer) for part in encoded.segments for buffer in part.buffers) >= 500_000


_SLICES: dict[str, Callable[[], Any]] = {
    "table": lambda: pa.table({"a": np.zeros(10**6), "t": ["x"] * 10**6}).slice(5, 10),
    "column": lambda: pa.table({"a": np.zeros(10**6)}).column("a").slice(5, 10),
    "polars": lambda: pl.DataFrame({"a": np.zeros(10**6)}).slice(5, 10),
    "text": lambda: pd.Series(["x"] * 10**6).iloc[5:15],
    "numpy": lambda: np.zeros(10**6)[5:15],
}


@pytest.mark.parametrize("make", _SLICES.values(), ids=_SLICES)
def test_a_slice_of_something_big_is_stored_alone(make: Callable[[], Any]) -> None:
    assert _size(encode(make())) < 20_000


def test_the_parts_of_a_dict_can_be_loaded_one_by_one() -> None:
    value = {
        "df_1": pd.DataFrame({"a": np.arange(3000)}),
        "df_2": np.arange(3000),
        "n": 1,
        "m": 1,
        "none": None,
        "nil": None,
    }
    encoded = _stored(value)
    assert (encoded.shape, encoded.names) == ("dict", tuple(value))
    for name, part in value.items():
        assert values.same(decode(encoded, name), part)


def test_loading_a_part_does_not_touch_the_others() -> None:
    encoded = _stored({"good": np.arange(3000), "bad": np.zeros(3000)})
    spoilt = Encoded(encoded.shape, encoded.names, (encoded.segments[0], Segment(b"no pickle", [])))
    assert values.same(decode(spoilt, "good"), np.arange(3000))


def test_the_parts_of_a_list_are_counted_from_0() -> None:
    encoded = _stored([np.arange(3000), "text"])
    assert decode(encoded, 1) == "text"
    with pytest.raises(PartMissing):
        decode(encoded, -1)


def test_small_dicts_and_lists_have_parts_too() -> None:
    assert decode(_stored({"a": 1, "b": 2}), "b") == 2
    assert decode(_stored([1, 2]), 0) == 1


@pytest.mark.parametrize("value", [{"df_1": np.zeros(3000), "df_2": 1}, {"df_1": 0, "df_2": 1}])
def test_a_part_that_is_missing_is_named_with_those_that_there_are(value: object) -> None:
    with pytest.raises(PartMissing, match=r"df_3.*'df_1', 'df_2'"):
        decode(_stored(value), "df_3")


def test_a_value_without_parts_says_so() -> None:
    with pytest.raises(PartMissing, match="neither a dict nor a list"):
        decode(_stored("text"), "t")


def test_one_object_in_two_places_comes_back_as_one_object() -> None:
    array = np.zeros(3000)
    for value in ({"a": array, "b": array}, {"a": [array], "b": {"c": array}}, [array, [array]]):
        loaded = list(_leaves(round_trip(value)))
        assert loaded[0] is loaded[1], value


@pytest.mark.parametrize(
    "thing",
    [
        *(
            deque([1]),
            defaultdict(list, a=[1]),
            array.array("d", [1.0]),
            io.BytesIO(b"x"),
            io.StringIO("x"),
        ),
        *(
            values.Slotted("s"),
            np.ma.masked_array([1, 2], [False, True]),
            np.zeros(3).view(values.Measured),
        ),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_whatever_can_be_changed_and_stands_in_two_places_comes_back_as_one_object(
    thing: object,
) -> None:
    loaded = round_trip({"big": np.zeros(3000), "a": thing, "b": [thing]})
    assert type(loaded["a"]) is type(thing)
    assert loaded["a"] is loaded["b"][0]


def test_what_a_subclass_of_an_array_knows_comes_back() -> None:
    measured = np.zeros((3000, 2)).view(values.Measured)
    measured.unit = "kg"
    measured.others = [measured]
    encoded = encode({"a": measured})
    assert sum(map(len, encoded.segments[0].buffers)) == measured.nbytes, "beside the pickle"
    loaded = round_trip(measured)
    assert (type(loaded), loaded.shape, loaded.unit) == (values.Measured, (3000, 2), "kg")
    assert loaded.others[0] is loaded
    loaded += 1


def test_a_polars_frame_without_columns_keeps_its_height() -> None:
    assert round_trip({"a": pl.DataFrame(height=5)})["a"].shape == (5, 0)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _leaves(child)
    else:
        yield value


def test_a_value_that_holds_itself_comes_back_holding_itself() -> None:
    value: list[Any] = [np.zeros(3000)]
    value.append(value)
    loaded = round_trip(value)
    assert loaded[1] is loaded


_HOLES: dict[str, tuple[object, str, str]] = {
    "itself": (threading.Lock(), "the value", "_thread.lock"),
    "in a dict": ({"ok": 1, "a": [1, (2, lambda: 0)]}, "the value['a'][1][1]", "builtins.function"),
    "in an object": (
        values.Model("m", {"db": threading.Lock()}),
        "the value.weights['db']",
        "_thread.lock",
    ),
    "a generator": ([(n for n in "abc")], "the value[0]", "builtins.generator"),
    "beside big ones": (
        {"big": np.zeros(10**5), "bad": threading.Lock()},
        "the value['bad']",
        "_thread.lock",
    ),
}


@pytest.mark.parametrize(("value", "path", "kind"), _HOLES.values(), ids=_HOLES)
def test_what_cannot_be_stored_is_named_by_the_path_inside_the_value(
    value: object, path: str, kind: str
) -> None:
    with pytest.raises(Unstorable) as caught:
        encode(value)
    assert (caught.value.path, caught.value.kind) == (path, kind)


def test_connections_sockets_and_open_files_are_refused(tmp_path: pathlib.Path) -> None:
    with socket.socket() as connection, (tmp_path / "f").open("w") as file:
        database = sqlite3.connect(":memory:")
        for value in (connection, file, database):
            with pytest.raises(Unstorable):
                encode([value])
        database.close()


def test_a_class_that_fails_when_it_is_pickled_is_named() -> None:
    with pytest.raises(Unstorable, match="shy") as caught:
        encode({"x": Shy()})
    assert caught.value.path == "the value['x']"


class Shy:
    def __reduce__(self) -> str:
        raise ValueError("shy")


def test_a_polars_frame_of_python_objects_is_refused() -> None:
    with pytest.raises(Unstorable):
        encode(pl.DataFrame({"a": pl.Series([object()], dtype=pl.Object)}))


@settings(max_examples=30)
@given(values.plain, values.plain)
def test_encoding_is_the_same_every_time_and_leaves_the_value_alone(value: Any, other: Any) -> None:
    before = [bytes(part.header) for part in encode([value, other]).segments]
    assert [bytes(part.header) for part in encode([value, other]).segments] == before


def test_arrays_in_another_librarys_value_are_sealed_by_their_digest() -> None:
    matrix = scipy.sparse.random(200, 200, density=0.9, format="csr", random_state=1)
    assert encode(matrix).segments[0].digest
    assert encode(np.zeros(10_000)).segments[0].digest == ""
