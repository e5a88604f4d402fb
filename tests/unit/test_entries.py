"""The entry format: what is packed is parsed, and any damage is found."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dash_stash import entries
from dash_stash.clock import SKEW
from dash_stash.codec import decode, encode
from dash_stash.entries import PREFIX_SIZE, Facts
from dash_stash.owner import Owner
from support import SEALING_KEY, must
from unit import values

KEY = bytes(range(16))

facts = st.builds(
    Facts,
    kind=st.sampled_from(["memo", "recipe", "put", "state"]),
    name=st.text(),
    created=st.floats(0, 1e12),
    fresh_until=st.floats(0, 1e12) | st.just(math.inf),
    gone_at=st.floats(0, 1e12) | st.just(math.inf),
    owner=st.text(max_size=40).map(Owner),
    tags=st.dictionaries(st.text(max_size=9), st.integers(0, 2**64 - 1), max_size=4),
    took=st.floats(0, 1e6),
    function=st.text(max_size=32),
)


def packed(value: object, about: Facts | None = None) -> bytes:
    made = entries.pack(KEY, about or Facts("put", "v", 1.0), encode(value), SEALING_KEY)
    return b"".join([made.head, *made.body])


def parsed(entry: bytes, sealing_key: bytes = SEALING_KEY) -> entries.Entry | None:
    return entries.parse(entry[: entries.head_size(entry)], sealing_key)


def loaded(entry: bytes) -> Any:
    described = must(parsed(entry))
    return decode(
        described.encoded(memoryview(entry)[: described.head_size], memoryview(bytearray(entry)))
    )


def test_each_buffer_begins_at_the_next_multiple_of_64() -> None:
    arrays = [np.full(4001 + number, number, "u1") for number in range(1, 6)]
    entry, end = packed(arrays), 0
    for array in arrays:
        start = entry.index(array.tobytes())
        assert start % 64 == 0
        assert not end or start - end < 64
        end = start + len(array)


@given(values.plain, facts)
def test_what_is_packed_is_parsed(value: object, about: Facts) -> None:
    made = entries.pack(KEY, about, encode(value), SEALING_KEY)
    entry = b"".join([made.head, *made.body])
    described = must(parsed(entry))
    assert (described.key, described.facts, described.size) == (KEY, about, len(entry))
    assert described == made.entry
    assert values.same(loaded(entry), value)


def test_no_two_entries_are_the_same_even_of_one_value() -> None:
    assert len({must(parsed(packed("value"))).nonce for _ in range(100)}) == 100


def test_nothing_is_said_about_an_entry_of_another_version() -> None:
    entry = packed("value")
    assert parsed(b"stash\x00\x00\x01" + entry[8:]) is None


@given(st.lists(values.arrays(), max_size=4))
def test_buffers_lie_at_multiples_of_64_and_do_not_overlap(arrays: list[Any]) -> None:
    value = dict(zip("abcd", arrays, strict=False))
    entry = packed(value)
    places = [place for _, buffers in must(parsed(entry)).segments for place in buffers]
    assert all(place.start % 64 == 0 for place in places)
    assert all(one.stop <= other.start for one, other in itertools.pairwise(places))
    assert values.same(loaded(entry), value)


def test_nothing_is_said_about_an_entry_that_another_secret_sealed() -> None:
    assert parsed(packed("value"), b"another sealing key") is None


@pytest.mark.parametrize(
    "value", ["small", {"a": np.arange(400), "b": [1, 2]}], ids=["in one piece", "in parts"]
)
def test_every_flipped_bit_is_found(value: object) -> None:
    entry = packed(value, Facts("memo", "f", 1.0, tags={"t": 1}))
    assert entries.is_whole(iter([entry]))
    for position in range(len(entry)):
        for bit in range(8):
            flipped = bytearray(entry)
            flipped[position] ^= 1 << bit
            assert not entries.is_whole(iter([bytes(flipped)])), (position, bit)


def test_every_flip_of_what_is_code_or_describes_it_breaks_the_seal() -> None:
    entry = packed({"a": np.arange(400), "b": [1, 2]})
    head = entry[: entries.head_size(entry)]
    for position in range(len(head)):
        flipped = bytearray(head)
        flipped[position] ^= 0x10
        if position >= 8 + 16:  # magic and checksum are what `is_whole` looks at
            assert entries.parse(bytes(flipped), SEALING_KEY) is None, position


def test_every_truncation_is_found() -> None:
    entry = packed({"a": np.arange(400), "b": "text"})
    assert not any(entries.is_whole(iter([entry[:size]])) for size in range(len(entry)))


@given(st.binary(max_size=2 * PREFIX_SIZE))
def test_what_is_no_entry_is_not_whole(content: bytes) -> None:
    assert not entries.is_whole(iter([content]))


def test_it_does_not_matter_in_which_chunks_an_entry_is_checked() -> None:
    entry = packed(np.arange(1000))
    for size in (PREFIX_SIZE, PREFIX_SIZE + 1, 777, len(entry)):
        assert entries.is_whole(
            iter([entry[start : start + size] for start in range(0, len(entry), size)])
        )


def test_the_seal_covers_the_head_however_big_the_value_is() -> None:
    small, big = (
        entries.pack(KEY, Facts("put", "v", 1.0), encode(np.zeros(n)), SEALING_KEY)
        for n in (1000, 10**6)
    )
    assert abs(len(small.head) - len(big.head)) < 10
    assert big.entry.size == len(big.head) + sum(map(len, big.body)) > 8 * 10**6


def test_facts_are_told_by_name() -> None:
    assert {field.name for field in dataclasses.fields(Facts)} == set(Facts.__slots__)


def test_a_value_is_fresh_until_its_time_and_stale_from_then_on() -> None:
    about = Facts("memo", "f", 100.0, fresh_until=160.0, gone_at=200.0)
    assert [about.is_fresh(now) for now in (100.0, 159.9, 160.0, 200.0)] == [
        True,
        True,
        False,
        False,
    ]
    assert Facts("memo", "f", 100.0).is_fresh(1e12)


def test_an_entry_is_gone_from_its_end_on() -> None:
    about = Facts("memo", "f", 100.0, gone_at=200.0)
    assert [about.is_gone(now) for now in (100.0, 199.9, 200.0)] == [False, False, True]
    assert not Facts("memo", "f", 100.0).is_gone(1e12)


def test_an_entry_from_the_future_is_gone_if_it_ends_at_all() -> None:
    about = Facts("memo", "f", 1000.0, gone_at=2000.0)
    assert not about.is_gone(1000.0 - SKEW)
    assert about.is_gone(1000.0 - SKEW - 0.1)
    assert not Facts("memo", "f", 1000.0).is_gone(0.0)


def test_every_kind_has_its_class_of_eviction() -> None:
    classes = {kind: entries.class_of(kind) for kind in get_args(entries.Kind)}
    assert classes == {
        "memo": entries.VALUES,
        "copy": entries.VALUES,
        "recipe": entries.PUTS,
        "put": entries.PUTS,
        "state": entries.STATE,
        "ended": entries.ENDED,
    }
    assert entries.VALUES < entries.PUTS < entries.STATE < entries.ENDED
