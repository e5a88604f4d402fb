"""Parts of a value, and what is encoded at all: no part shares what can be changed."""

from __future__ import annotations

import gc
import sys
from typing import Any

import pytest

from dash_stash.codec import decode, encode


def test_what_is_encoded_may_be_collected_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    held: list[object] = [encode({"a": "value"})]
    held.append(held)
    del held
    gc.collect()
    assert complaints == []


_LONG = "x" * 65536  # so that parts are worth while


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
