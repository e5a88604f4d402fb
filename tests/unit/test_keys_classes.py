"""Keys of objects of users' and libraries' classes: everything in an object counts, or no key."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import functools
import operator
import pathlib
import re
import subprocess
import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from dateutil import tz  # type: ignore[import-untyped]

from dash_stash import Stash, UnhashableArgument, keys
from dash_stash.keys import NoKey
from unit import values

T = TypeVar("T")


def key(value: object) -> bytes:
    return keys.of_value(value, "x")


@dataclasses.dataclass
class Place:
    name: str
    note: object = dataclasses.field(default=None, compare=False)


class Airport(Place):
    """A class that is no dataclass itself: what it adds is no field."""

    def __init__(self, name: str, runways: object) -> None:
        super().__init__(name)
        self.runways = runways


@dataclasses.dataclass(eq=False)
class Unequal:
    number: int


@dataclasses.dataclass(slots=True)
class Slotted:
    number: int


class More(Slotted):
    __slots__ = ("__private", "more")

    def __init__(self, number: int, more: object, private: object) -> None:
        super().__init__(number)
        self.more, self.__private = more, private


@dataclasses.dataclass
class Late:
    number: int = dataclasses.field(init=False)


@dataclasses.dataclass
class Box(Generic[T]):
    content: T


class Tagged(values.Point):
    """A named tuple that has more attributes."""


class Operation(enum.Enum):
    ADD = (operator.add,)
    SUBTRACT = (operator.sub,)


class Level(enum.IntEnum):
    LOW = 1


class Rows(NamedTuple):
    rows: object


@dataclasses.dataclass
class Labelled(dict[str, int]):
    label: str = ""


def _tagged(tag: object) -> Tagged:
    point = Tagged(1, 2)
    point.tag = tag  # type: ignore[attr-defined]
    return point


def _row(fields: str, *defaults: int) -> Any:
    """Return a row of a class that is made while the app runs, as a database driver does."""
    make: Any = collections.namedtuple  # noqa: PYI024
    made: Any = make("Row", fields, defaults=defaults)
    return made(1, 2)


def _late() -> Late:
    late = Late()
    late.number = 1
    return late


_DIFFERENT: list[tuple[object, object]] = [
    (Place("JFK", "mine"), Place("JFK", "yours")),
    (Airport("JFK", 4), Airport("JFK", 5)),
    (Place("JFK"), Airport("JFK", 4)),
    (Unequal(1), Unequal(2)),
    (More(1, 2, 3), More(1, 3, 3)),
    (More(1, 2, 3), More(1, 2, 4)),
    (Late(), _late()),
    (Tagged(1, 2), values.Point(1, 2)),
    (_tagged("a"), _tagged("b")),
    (Operation.ADD, Operation.SUBTRACT),
    (Level.LOW, 1),
    (_row("a b"), _row("a c")),
    (_row("a b", 1), _row("a b")),
    (next(pd.DataFrame({"a": [1]}).itertuples()), next(pd.DataFrame({"b": [1]}).itertuples())),
    (int, float),
    (re.compile("a"), re.compile("a", re.IGNORECASE)),
    (re.compile("a"), re.compile(b"a")),
    (np.ma.MaskedArray([1, 2]), np.ma.MaskedArray([1, 2], mask=[False, False])),
    (np.longlong(1), np.int64(1)),
    (pd.Timestamp("2013").as_unit("s"), pd.Timestamp("2013").as_unit("ms")),
    (pd.Timedelta(1, "s").as_unit("s"), pd.Timedelta(1, "s").as_unit("ms")),
    (pd.RangeIndex(2), pd.Index([0, 1])),
    *(
        (datetime.datetime(2013, 1, 1, tzinfo=one), datetime.datetime(2013, 1, 1, tzinfo=other))
        for one, other in [
            (tz.tzutc(), datetime.UTC),
            (tz.gettz("Europe/Berlin"), tz.gettz("Europe/Paris")),
        ]
    ),
]


@pytest.mark.parametrize(("one", "other"), _DIFFERENT, ids=lambda value: type(value).__name__)
def test_what_a_function_could_tell_apart_has_two_keys(one: object, other: object) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Airport("JFK", (4, "left")),
        lambda: Unequal(1),
        lambda: More(1, [2], 3),
        Late,
        lambda: _tagged("a"),
        lambda: Operation.ADD,
        lambda: _row("a b"),
        lambda: next(pd.DataFrame({"a": [1]}).itertuples()),
        lambda: datetime.datetime(2013, 1, 1, tzinfo=tz.tzoffset("EST", -18000)),
    ],
)
def test_what_is_made_anew_has_the_same_key(make: Callable[[], object]) -> None:
    assert key(make()) == key(make())


def test_how_a_generic_dataclass_was_spelled_does_not_matter() -> None:
    assert key(Box[int](1)) == key(Box(1))


def test_the_freed_memory_of_an_object_is_never_its_key() -> None:
    """When an object is gone, another may have its address."""

    def rows(text: str) -> Any:
        array = np.empty(1, [("name", object), ("n", "i8")])
        array[0] = (text, 1)
        return array

    assert len({key(rows("x" * 10 + str(n))) for n in range(500)}) == 500
    assert key(rows("anna")) == key(rows("anna"))


class Zone(datetime.tzinfo):
    """A user's own type, of which nobody knows what its content is."""

    def utcoffset(self, _moment: datetime.datetime | None) -> datetime.timedelta:
        return datetime.timedelta(hours=1)

    def dst(self, _moment: datetime.datetime | None) -> None:
        return None

    def tzname(self, _moment: datetime.datetime | None) -> None:
        return None


@pd.api.extensions.register_extension_dtype
class PlaceDtype(pd.api.extensions.ExtensionDtype):
    """A type of places, as other libraries have: its reference system is not shown in full."""

    name = "place"
    type = str
    na_value = None

    @classmethod
    def construct_array_type(cls) -> Any:
        return PlaceArray


class PlaceArray(pd.api.extensions.ExtensionArray):
    def __init__(self, places: Any, crs: str) -> None:
        self.places, self.crs, self._dtype = np.array(places, object), crs, PlaceDtype()

    dtype = property(lambda self: self._dtype)
    nbytes = 0

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, item: Any) -> Any:
        found = self.places[item]
        return PlaceArray(found, self.crs) if isinstance(found, np.ndarray) else found

    def isna(self) -> Any:
        return np.zeros(len(self), bool)

    def take(self, indexer: Any, **_: Any) -> PlaceArray:
        return PlaceArray(self.places[indexer], self.crs)

    def copy(self) -> PlaceArray:
        return PlaceArray(self.places, self.crs)

    @classmethod
    def _from_sequence(cls, scalars: Any, **_: Any) -> PlaceArray:
        return cls(list(scalars), "")


class GeoFrame(pd.DataFrame):
    """A frame that holds more than its columns."""

    _metadata = ["crs"]  # noqa: RUF012


def _local_enum() -> object:
    class Mode(enum.Enum):
        FAST = 1

    return Mode.FAST


def _local_dataclass() -> object:
    @dataclasses.dataclass
    class Options:
        fast: bool = True

        def speed(self) -> int:
            return 2

    return Options()


class Handler:
    def __call__(self) -> None:
        """Do nothing."""


_PLACES = PlaceArray(["a"], "EPSG:4326")

_NO_KEY: list[tuple[object, str, str]] = [
    ([re.compile("a").match], "x[0]", "builtins.builtin"),
    ({"get": {}.get}, "x['get']", "builtins.builtin"),
    (functools.partial(int, base=2), "x", "functools.partial"),
    (Handler(), "x", "Handler"),
    (Handler().__call__, "x", "builtins.method"),
    (key, "x", "builtins.function"),
    (Handler, "x", "test_keys_classes.Handler"),
    (Place("JFK", object()), "x.note", "builtins.object"),
    (Airport("JFK", object()), "x.runways", "builtins.object"),
    (Rows([object()]), "x.rows[0]", "builtins.object"),
    (_tagged(object()), "x.tag", "builtins.object"),
    (Labelled("a"), "x", "a dataclass that is more than its attributes"),
    (_local_enum(), "x", "define it at the top of its module"),
    (_local_dataclass(), "x", "define it at the top of its module"),
    (deque([key]), "x[0]", "builtins.function"),
    (datetime.datetime(2013, 1, 1, tzinfo=Zone()), "x.tzinfo", "Zone"),
    (tz.tzlocal(), "x", "tzlocal"),
    (type("Meters", (np.float64,), {})(1), "x", "Meters"),
    (np.zeros(1, "i4,i4").view(np.recarray), "x", "numpy.rec.recarray"),
    (np.ma.MaskedArray(np.array([object()])), "x.data.flat[0]", "builtins.object"),
    (np.array([(object(), 1)], [("a", object), ("b", int)]), "x['a'].flat[0]", "builtins.object"),
    (
        np.zeros(1, np.dtype("i4", metadata={"m": object()})),
        "x.dtype.metadata['m']",
        "builtins.object",
    ),
    (pd.Series(_PLACES, name="p"), "x", "column of place"),
    (pd.DataFrame({"a": [1], "p": _PLACES}), "x.iloc[:, 1]", "column of place"),
    (GeoFrame({"a": [1]}), "x", "GeoFrame"),
    (pd.Index(_PLACES), "x", "column of place"),
    (
        OrderedDict(a=pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])),
        "x['a']",
        "union",
    ),
]


@pytest.mark.parametrize(
    ("value", "path", "kind"),
    _NO_KEY,
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_may_be_more_than_is_seen_has_no_key_and_is_named_by_its_path(
    value: object, path: str, kind: str
) -> None:
    with pytest.raises(NoKey) as caught:
        key(value)
    assert caught.value.path == path
    assert kind in caught.value.kind


def test_a_frame_with_metadata_that_has_no_key_is_told_by_its_path() -> None:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["made by"] = {"model": Handler()}
    with pytest.raises(NoKey, match="Handler") as caught:
        key(frame)
    assert caught.value.path == "x.attrs['made by']['model']"


# In calls


def test_a_function_gets_its_own_rows_whatever_they_hold(stash: Stash) -> None:
    @stash.memo
    def names(rows: Any) -> list[str]:
        return [name for name, _ in rows]

    def rows(name: str) -> Any:
        array = np.empty(1, [("name", object), ("age", "i8")])
        array[0] = (name, 30)
        return array

    assert [names(rows(f"{name}-1")) for name in ("anna", "bob", "anna")] == [
        ["anna-1"],
        ["bob-1"],
        ["anna-1"],
    ]


def test_the_order_of_named_parameters_does_not_count_that_of_further_ones_does(
    stash: Stash,
) -> None:
    @stash.memo
    def shown(first: int, second: int, **others: int) -> str:
        return f"{first} {second} {list(others)}"

    assert shown(first=1, second=2) == shown(second=2, first=1) == "1 2 []"
    assert shown.info().entries == 1
    assert shown(1, 2, b=1, a=2) == "1 2 ['b', 'a']"
    assert shown(1, 2, a=2, b=1) == "1 2 ['a', 'b']"


def test_a_function_that_shows_a_dict_is_asked_anew_for_another_order(stash: Stash) -> None:
    @stash.memo
    def columns(row: dict[str, int]) -> list[str]:
        return list(row)

    assert columns({"a": 1, "b": 2}) == ["a", "b"]
    assert columns({"b": 2, "a": 1}) == ["b", "a"]


def test_a_refused_argument_says_where_it_is_and_what_to_do(stash: Stash) -> None:
    @stash.memo
    def area(places: object) -> int:
        return 1

    with pytest.raises(
        UnhashableArgument,
        match=r"no key can be made from places\.iloc\[:, 0\], a column of place.*ignore='places'",
    ):
        area(pd.DataFrame({"p": _PLACES}))


def test_a_class_of_a_script_is_one_for_those_who_import_it(tmp_path: pathlib.Path) -> None:
    """`python app.py` and `gunicorn app:server` share what they store."""
    (tmp_path / "colours.py").write_text(
        "import dataclasses, enum\nfrom dash_stash import keys\n"
        "class Colour(enum.Enum):\n    RED = 1\n"
        "@dataclasses.dataclass\nclass Point:\n    x: int\n"
        "if __name__ != 'asked':\n    print(keys.of_value([Colour.RED, Point(1)], 'v').hex())\n"
    )
    ways = (["colours.py"], ["-c", "import colours"], ["-m", "colours"])
    printed = {
        subprocess.run(
            [sys.executable, *way], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout
        for way in ways
    }
    assert len(printed) == 1
