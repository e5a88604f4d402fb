"""What mutants and other versions of Python showed that no other test noticed."""

from __future__ import annotations

import datetime
import decimal
import fractions
import gc
import importlib
import math
import pathlib
import re
import sys
import uuid
from collections import OrderedDict, defaultdict, deque
from typing import Any, Generic, TypeVar

import numpy as np
import pytest

from dash_stash import ConfigError, Stash, keys, seal
from dash_stash.codec import decode, encode
from dash_stash.seal import Seal

T = TypeVar("T")


class Box(Generic[T]):
    def __init__(self, content: T) -> None:
        self.content = content

    def __call__(self) -> T:
        return self.content


def test_a_memo_function_may_take_another_or_an_object_of_a_generic_class_from_around_it(
    stash: Stash,
) -> None:
    def make(step: Box[int]) -> Any:
        @stash.memo
        def inner(n: int) -> int:
            return n + step()

        return stash.memo(lambda n: inner(n) * 10)

    assert [make(Box(step))(1) for step in (1, 2)] == [20, 30]


def test_what_is_encoded_may_be_collected_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    held: list[object] = [encode({"a": "value"})]
    held.append(held)
    del held
    gc.collect()
    assert complaints == []


def test_a_secret_has_16_bytes_at_least_and_the_error_says_how_many_it_has() -> None:
    assert len(Seal("app", b"x" * 16).key("entries")) == 32
    with pytest.raises(ConfigError, match=r"15 bytes, at least 16 are needed.*dash-stash secret"):
        Seal("app", b"x" * 32, b"x" * 15)
    with pytest.raises(ConfigError, match="0 bytes"):
        Seal("app")


def test_what_was_sealed_by_an_earlier_version_opens() -> None:
    """A change of this costs every value, session and reference of whoever upgrades."""
    first, second = Seal("app", b"x" * 16, b"y" * 16), Seal("app", b"y" * 16)
    key = first.key("entries")
    made = seal.make(key, b"some ", memoryview(b"content"))
    assert made.hex() == ("fb1beb02e2598349dd03e51c0cb194f3b76c95d36c9b602ff2c2050e620c34a3")
    assert seal.make(key, b"some content", size=8).hex() == "695145002add0da7"
    assert seal.matches(made, key, b"some content")
    assert seal.matches(seal.make(second.key("entries"), b"content"), key, b"content")
    for other in (Seal("another app", b"x" * 16).key("entries"), first.key("references")):
        assert not seal.matches(made, other, b"some content")
    assert not seal.matches(made, key, b"other content")


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


_LONG = "x" * 65536  # so that parts are worth while


@pytest.mark.parametrize(
    "shared",
    [uuid.UUID(int=1), fractions.Fraction(1, 3), pathlib.PurePosixPath("a"), np.float64(1)],
    ids=lambda shared: type(shared).__name__,
)
def test_parts_that_share_what_nobody_can_change_are_parts(shared: object) -> None:
    assert encode({"a": [shared], "b": [shared], "c": _LONG}).shape == "dict"


def test_parts_that_share_what_can_be_changed_stay_one_value() -> None:
    shared = [1]
    value = decode(encode({"a": [shared], "b": [shared], "c": _LONG}))
    assert value["a"][0] is value["b"][0]


def test_a_dict_that_holds_itself_comes_back_so() -> None:
    value: dict[str, Any] = {"c": _LONG}
    value["itself"] = [value]
    encoded = encode(value)
    assert encoded.shape is None
    back = decode(encoded)
    assert back["itself"][0] is back


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
