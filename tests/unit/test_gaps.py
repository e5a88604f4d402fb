"""What mutants and other versions of Python showed that no other test noticed."""

from __future__ import annotations

import gc
import sys
from typing import Any, Generic, TypeVar

import pytest

from dash_stash import Stash
from dash_stash.codec import encode

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
