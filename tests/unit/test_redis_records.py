"""Pointers and chunks: what was cut is joined again, and what others wrote is a miss."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dash_stash import entries
from dash_stash.codec import Encoded, PartName, decode, encode
from dash_stash.entries import Facts
from dash_stash.owner import APP, Owner
from dash_stash.stores.redis import records
from dash_stash.stores.redis.records import Pointer
from support import SEALING_KEY, must

KEY = b"a key of 16 byte"

owners = st.sampled_from(["", "user:aa", "session:aa", "session:aa/tab:bb"]).map(Owner)
epochs = st.dictionaries(st.text(max_size=5), st.integers(0, 2**62), max_size=3)
times = st.floats(0, 1e10) | st.just(math.inf)


@given(
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**60),
    owners,
    times,
    epochs,
    st.booleans(),
    st.binary(max_size=50),
)
def test_a_pointer_comes_back_as_it_was(
    identity: bytes,
    size: int,
    owner: Owner,
    gone_at: float,
    tags: dict[str, int],
    is_state: bool,
    inline: bytes,
) -> None:
    pointer = Pointer(identity, size, owner, gone_at, tags, is_state, 1, 2, inline)
    assert Pointer.parse(pointer.pack()) == pointer


@given(st.binary(max_size=200))
def test_what_is_no_pointer_is_none(text: bytes) -> None:
    parsed = Pointer.parse(text)
    assert parsed is None or parsed.pack()


@given(st.data())
def test_a_pointer_that_was_changed_is_none_or_another_sound_one(data: st.DataObject) -> None:
    packed = bytearray(
        Pointer(
            b"i" * 16,
            5,
            Owner("session:aa"),
            7.5,
            {"tag": 3},
            head_chunks=1,
            chunks=2,
            inline=b"inline",
        ).pack()
    )
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    parsed = Pointer.parse(bytes(packed))
    if parsed is not None:
        assert parsed.head_chunks <= parsed.chunks <= 2**16
        assert parsed.owner.isascii()
        assert all(isinstance(epoch, int) for epoch in parsed.tags.values())


@pytest.mark.parametrize(
    "description",
    [
        b"[" * 100_000,
        b"[1]",
        b'[1, "", null, {"a": 1e999}, false]',
        b'[1, "\\ud800", null, {}, false]',
        b"[" + b"9" * 10_000 + b"]",
        b"\xff",
    ],
)
def test_a_hostile_description_is_none(description: bytes) -> None:
    start = Pointer(b"i" * 16, 5, APP, math.inf, {}).pack()[:24]
    assert Pointer.parse(start + len(description).to_bytes(4, "big") + description) is None


VALUES: list[Any] = [
    "text",
    {"a": np.arange(10), "b": np.arange(300_000), "c": "small"},
    [np.zeros(records.CHUNK // 8), np.ones(records.CHUNK // 8 + 1), np.arange(3)],
    np.arange(records.CHUNK // 8 * 3 + 7),
    ["long texts in the head " * 10] * 100_000,
    {f"part {number}": np.full(3000, number) for number in range(50)},
]


def _cut(value: object) -> tuple[entries.Packed, records.ChunkedEntry]:
    encoded = encode(value)
    packed = entries.pack(KEY, Facts("put", "v", 0.0), encoded, SEALING_KEY)
    return packed, records.cut(packed, encoded)


def _join(packed: entries.Packed, chunks: records.ChunkedEntry, part: PartName | None) -> Encoded:
    content = [bytes(chunk) for chunk in chunks.all]
    head = b"".join(content[: chunks.head_count])
    entry, _ = must(records.parse_head(KEY, head, packed.entry.size, SEALING_KEY))
    numbers = records.chunks_of(entry, chunks.head_count, part)
    return must(
        records.join(
            entry,
            memoryview(head),
            [[content[number] for number in some] for some in numbers],
            part,
        )
    )


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_was_cut_is_joined_again_whole_and_part_by_part(value: Any) -> None:
    packed, chunks = _cut(value)
    assert max(memoryview(chunk).nbytes for chunk in chunks.all) <= records.CHUNK
    assert all(
        records.is_chunk(bytes(chunk), number, chunks.manifest())
        for number, chunk in enumerate(chunks.all)
    )
    assert repr(decode(_join(packed, chunks, None))) == repr(value)
    for part in packed.entry.names:
        assert repr(decode(_join(packed, chunks, part), part)) == repr(value[part])


def test_a_part_needs_its_own_chunks_only() -> None:
    packed, chunks = _cut(
        {name: np.full(records.CHUNK // 8 * 2, number) for number, name in enumerate("abc")}
    )
    numbers = [records.chunks_of(packed.entry, chunks.head_count, name) for name in "abc"]
    assert numbers == [[range(1, 3)], [range(3, 5)], [range(5, 7)]]


def test_a_chunk_that_is_damaged_or_in_another_place_is_noticed() -> None:
    _, chunks = _cut(np.arange(records.CHUNK // 4))
    manifest = chunks.manifest()
    first, second = (bytes(chunk) for chunk in chunks.all[-2:])
    last = len(chunks.all) - 1
    assert records.is_chunk(second, last, manifest)
    assert not records.is_chunk(first, last, manifest)
    assert not records.is_chunk(second[:-1] + bytes([second[-1] ^ 1]), last, manifest)
    assert not records.is_chunk(second, last, manifest[:-8]), "a manifest that is too short"
    assert not records.is_chunk(None, last, manifest)


def test_a_head_of_another_key_size_or_secret_is_none() -> None:
    packed, _ = _cut({"a": 1})
    size = packed.entry.size
    assert records.parse_head(KEY, packed.head, size, SEALING_KEY) is not None
    assert records.parse_head(KEY[::-1], packed.head, size, SEALING_KEY) is None
    assert records.parse_head(KEY, packed.head, size + 1, SEALING_KEY) is None
    assert records.parse_head(KEY, packed.head[:-1], size, SEALING_KEY) is None
    assert records.parse_head(KEY, packed.head, size, bytes(32)) is None
    assert records.parse_inline(KEY, packed.head, SEALING_KEY) is not None
    assert records.parse_inline(KEY, packed.head[:50], SEALING_KEY) is None
    assert records.parse_inline(KEY, b"", SEALING_KEY) is None
