"""The format of entries: a stored value and its description, in one run of bytes.

    magic | checksum | seal | nonce, key, times, lengths | description (JSON) | headers | buffers,
    each at a multiple of 64

The checksum (xxh3-128) covers all that follows it: damage is a miss. The seal covers all but the
buffers: only the headers are code, and the lengths of the buffers stand in the description, so the
cost of a seal goes by the size of the headers, not of the value. The nonce is random: no two
entries are the same, whatever the file system says of their files.
"""

from __future__ import annotations

import json
import math
import secrets
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import xxhash

from dash_stash import seal
from dash_stash.clock import SKEW
from dash_stash.codec import Encoded, PartName, Segment, Shape
from dash_stash.owner import APP, Owner

_MAGIC = b"stash\x00\x00\x03"
_ALIGNMENT = 64

# magic, checksum, seal | nonce, key, created, fresh until, gone at, length of description, of
# headers, of everything
_PREFIX = struct.Struct("<8s16s32s16s16sdddIQQ")
_CHECKED_FROM = 8 + 16
_SEALED_FROM = _CHECKED_FROM + 32
PREFIX_SIZE = _PREFIX.size

NONCE_SIZE, NONCE_AT = 16, _SEALED_FROM
"""The length of an entry's nonce, and its place."""

Kind = Literal["memo", "recipe", "put", "state", "ended", "copy"]
"""The kinds of entries.

memo: the value of a memo function; recipe: how a reference computes such a value again; put: what
`stash.put` stored; state: a variable; ended: the note that a session, user or cookie has ended;
copy: what a machine has of a server's entry.
"""

VALUES, PUTS, STATE, ENDED = range(4)
"""The classes of eviction: the lowest is evicted first, and notes of ends are never evicted."""

_CLASSES: Mapping[Kind, int] = {
    "memo": VALUES,  # can be computed again
    "copy": VALUES,  # can be fetched again
    "put": PUTS,
    "recipe": PUTS,
    "state": STATE,
    "ended": ENDED,
}


def class_of(kind: Kind) -> int:
    """Return the class of eviction of a kind."""
    # A newer version may have written a kind that this version does not know: evict it first.
    return _CLASSES.get(kind, VALUES)


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about an entry, besides its value; times are in seconds since the epoch."""

    kind: Kind

    name: str
    """The function's or variable's name, for people."""

    created: float
    fresh_until: float = math.inf
    gone_at: float = math.inf
    """The value is stale from `fresh_until` on, and a miss from `gone_at` on."""

    owner: Owner = APP
    """The owner of the value."""

    tags: dict[str, int] = field(default_factory=dict)
    """Each tag, with its epoch when the computation began.

    If the tag has another epoch now, the entry was forgotten.
    """

    took: float = 0.0
    """The seconds that the computation took."""

    function: str = ""
    """For a recipe: two hexadecimal texts, the id of its function and the key of its code."""

    def is_fresh(self, now: float) -> bool:
        """Return whether the value is not stale yet."""
        return now < self.fresh_until

    def is_gone(self, now: float) -> bool:
        """Return whether the entry has expired, and is a miss.

        If an entry can expire, and its time of creation is in the future by more than clocks may
        differ, its age is unknown, and it counts as expired, too.
        """
        return self.gone_at != math.inf and not self.created - SKEW <= now < self.gone_at


@dataclass(frozen=True, slots=True)
class Entry:
    """The parsed description of a stored value.

    It says where the value's segments are in the bytes.
    """

    nonce: bytes
    key: bytes
    facts: Facts
    shape: Shape
    names: tuple[PartName, ...]
    segments: tuple[tuple[slice, tuple[slice, ...]], ...]
    """For each part, the places of its header and its buffers."""

    digests: tuple[str, ...]
    """For each part, the digest of its buffers, or an empty text."""

    head_size: int
    size: int

    @property
    def has_buffers(self) -> bool:
        """Whether the value has buffers, outside the headers."""
        return self.size > self.head_size

    def encoded(self, head: memoryview, body: memoryview) -> Encoded:
        """Return the value in the form that the codec decodes; nothing is copied.

        Args:
            head: The entry's head as its seal was checked: what is code comes from here.
            body: The whole entry, or at least its head's length of anything if there are no
                buffers.
        """
        return Encoded(
            self.shape,
            self.names,
            tuple(
                Segment(head[header], [body[buffer] for buffer in buffers], digest)
                for (header, buffers), digest in zip(self.segments, self.digests, strict=True)
            ),
        )


@dataclass(frozen=True, slots=True)
class Packed:
    """An entry, ready to be written: its head, then its buffers and the gaps before them."""

    entry: Entry
    head: bytes
    body: list[bytes | memoryview]


def pack(key: bytes, facts: Facts, encoded: Encoded, sealing_key: bytes) -> Packed:
    """Make an entry that is ready to be written; the value's buffers are not copied."""
    lengths = [
        (len(part.header), [len(buffer) for buffer in part.buffers]) for part in encoded.segments
    ]
    digests = tuple(part.digest for part in encoded.segments)
    description = json.dumps(
        {
            "facts": {name: getattr(facts, name) for name in Facts.__slots__},
            "shape": encoded.shape,
            "names": encoded.names,
            "segments": lengths,
            "digests": digests,
        },
    ).encode()
    headers = b"".join(part.header for part in encoded.segments)
    head_size = PREFIX_SIZE + len(description) + len(headers)
    body = list(
        _aligned(head_size, [buffer for part in encoded.segments for buffer in part.buffers])
    )
    total = head_size + sum(map(len, body))
    times = facts.created, facts.fresh_until, facts.gone_at
    nonce = secrets.token_bytes(NONCE_SIZE)
    sizes = len(description), len(headers), total
    prefix = _PREFIX.pack(_MAGIC, b"", b"", nonce, key, *times, *sizes)[_SEALED_FROM:]
    sealed = seal.make(sealing_key, prefix, description, headers) + prefix + description + headers
    checksum = xxhash.xxh3_128(sealed)
    for chunk in body:
        checksum.update(chunk)
    segments = _places(PREFIX_SIZE + len(description), head_size, lengths)
    entry = Entry(
        nonce, key, facts, encoded.shape, encoded.names, segments, digests, head_size, total
    )
    return Packed(entry, _MAGIC + checksum.digest() + sealed, body)


def _aligned(
    position: int, buffers: Sequence[memoryview | bytearray]
) -> Iterator[bytes | memoryview]:
    for buffer in buffers:
        gap = -position % _ALIGNMENT
        yield bytes(gap)
        yield memoryview(buffer)
        position += gap + len(buffer)


def is_whole(chunks: Iterator[bytes]) -> bool:
    """Return whether an entry is undamaged; *chunks* are its bytes, in order.

    The first chunk is longer than the prefix.
    """
    first = next(chunks, b"")
    if len(first) < PREFIX_SIZE or first[: len(_MAGIC)] != _MAGIC:
        return False
    checksum = xxhash.xxh3_128(memoryview(first)[_CHECKED_FROM:])
    for chunk in chunks:
        checksum.update(chunk)
    return checksum.digest() == first[len(_MAGIC) : _CHECKED_FROM]


def head_size(prefix: bytes) -> int:
    """Return the bytes of prefix, description and headers together; the prefix says how many."""
    *_, description_size, headers_size, _total = _PREFIX.unpack(prefix[:PREFIX_SIZE])
    return int(PREFIX_SIZE + description_size + headers_size)


def parse(head: bytes | memoryview, sealing_key: bytes) -> Entry | None:
    """Parse the head of an entry, which has the number of bytes that `head_size` returns.

    Return None if it has no seal of this secret and version.
    """
    magic, _, sealed, nonce, key, *times, description_size, _, total = _PREFIX.unpack(
        head[:PREFIX_SIZE]
    )
    if magic != _MAGIC or not seal.matches(sealed, sealing_key, memoryview(head)[_SEALED_FROM:]):
        return None
    description = json.loads(bytes(head[PREFIX_SIZE : PREFIX_SIZE + description_size]))
    facts = Facts(
        **description["facts"]
        | dict(zip(("created", "fresh_until", "gone_at"), times, strict=True))
    )
    segments = _places(PREFIX_SIZE + description_size, len(head), description["segments"])
    names = tuple(description["names"])
    digests = tuple(description["digests"])
    return Entry(
        nonce, key, facts, description["shape"], names, segments, digests, len(head), total
    )


def _places(
    position: int, head_size: int, lengths: Sequence[tuple[int, Sequence[int]]]
) -> tuple[tuple[slice, tuple[slice, ...]], ...]:
    """Return the places of each segment's header and buffers."""
    segments = []
    end = head_size
    for header_length, buffer_lengths in lengths:
        header = slice(position, position + header_length)
        position = header.stop
        buffers = []
        for length in buffer_lengths:
            start = end + -end % _ALIGNMENT
            end = start + length
            buffers.append(slice(start, end))
        segments.append((header, tuple(buffers)))
    return tuple(segments)
