"""Keys that are written down, and the paths of values that have none."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import fractions
import importlib
import math
import pathlib
import re
import uuid
from collections import OrderedDict, defaultdict, deque
from typing import Any

import numpy as np
import pytest

from dash_stash import keys

_PLAIN: list[Any] = [
    *(None, ..., True, False, -255, 1.5, math.nan, 1 + 2j, "a\ud800", b"b", bytearray(b"c")),
    *(decimal.Decimal("1.50"), fractions.Fraction(1, 3), uuid.UUID(int=7), range(1, 5, 2)),
    *(datetime.date(2013, 1, 2), datetime.timedelta(1, 2, 3), datetime.time(1, 2, fold=1)),
    *(datetime.datetime(2013, 1, 2, tzinfo=datetime.UTC), slice(1, 2), re.compile("a", 2), int),
    *(pathlib.PurePosixPath("a/b"), pathlib.PureWindowsPath("a/b"), [1, "a"], ["a", "bc"], (1,)),
    *(deque([1], 3), {1, 2}, frozenset({1, 2}), {"a": 1}, OrderedDict(a=1), defaultdict(int, a=1)),
    *(np.arange(6).reshape(2, 3), np.arange(6).reshape(2, 3).T, np.float64(math.nan), np.int8(1)),
    *(np.array(["a", None], object), np.array([(1, 2)], "i1,i4"), np.longdouble(1.5)),
    *(np.ma.MaskedArray([1, 2], [False, True]), np.array(["a"], np.dtypes.StringDType())),
    np.array([(1, 2)], np.dtype([("a", "i1"), ("b", "i4")], align=True)),
    np.busdaycalendar("1111000", [np.datetime64("2013-01-01")]),
]

_KEYS = """
5203e735 c5304bd8 c6a25607 c9e00d8e 68ce1b17 f37c8826 bfade468 1de78494 2ab37a5d c1c71ff5
f42bdac8 027499be c5d582b6 475a08b0 b875b5c4 869f1b6b 424d9f00 101c4a3a 1dc0f96d 35c34ee1
55758462 f0e7412e 3e8d4ce2 c599271d f24af857 e709e310 74bbb579 30d64ab0 e01e4bda 2cc4539d
ab64fb6a 601d4388 7aadd2f3 3969837a 64c4c8da c3208dc1 e96e3d56 2dcb4de8 c7a87203 6171bfae
1a6d238c 35a7c097 e75763f1 94fe6f37
"""


def test_keys_are_those_of_earlier_versions() -> None:
    """A change of this makes whoever upgrades compute everything again: say so in the changelog."""
    assert [keys.of_value(value, "x").hex()[:8] for value in _PLAIN] == _KEYS.split()


class Nameless:
    def __repr__(self) -> str:
        return "Nameless"

    def __hash__(self) -> int:
        return 1


def test_a_key_of_a_dict_that_has_none_is_found_by_its_path() -> None:
    with pytest.raises(keys.NoKey) as caught:
        keys.of_value([{Nameless(): 1}], "x")
    assert caught.value.path == "the key Nameless of x[0]"


def test_an_array_of_another_librarys_numbers_is_found_by_its_path() -> None:
    rational = importlib.import_module("numpy._core._rational_tests").rational
    with pytest.raises(keys.NoKey) as caught:
        keys.of_value([np.array([1], rational)], "x")
    assert caught.value.path == "x[0]"


def test_what_holds_itself_is_named() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(keys.NoKey) as caught:
        keys.of_value(value, "argument")
    assert caught.value.path == "argument"


class Outer:
    @dataclasses.dataclass
    class Inner:
        n: int


def test_an_object_of_a_class_within_a_class_has_a_key() -> None:
    assert keys.of_value(Outer.Inner(1), "x") != keys.of_value(Outer.Inner(2), "x")
