"""What lies on the server: a small pointer for each key, and the entry's bytes in chunks.

A hit looks at the pointer only. The names of the chunks begin with the id that stands in it. Chunks
are written before their pointer, and never changed:

- the manifest: the checksums of all chunks (xxh3-64), the head's first;
- the head, in chunks of `CHUNK` bytes;
- for each part of the value its buffers, one after the other, in chunks of the same size, so that
  one part can be read alone.

An entry up to `INLINE` bytes lies in its pointer, whole.
"""

from __future__ import annotations

import itertools
import json
import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

import xxhash

from dash_stash import entries
from dash_stash.codec import Encoded, PartName, Segment
from dash_stash.entries import Entry, Packed
from dash_stash.owner import Owner

CHUNK = 2**20
INLINE = 1024

# The id, how many chunks the head and everything have, how long the description is.
_START = struct.Struct(">16sIII")
ID_SIZE = 16
CHUNKS_AT = 20
"""Where a script finds the number of all chunks."""

_CHECKSUM_SIZE = 8
_EPOCH_DIGITS = 20

MOST_CHUNKS = 2**16
"""Chunks that an entry may have: the server is busy while it goes through them."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a key's pointer says."""

    id: bytes
    """Random, and new for each entry that is stored."""

    size: int
    """Bytes of the entry."""

    owner: Owner
    gone_at: float
    tags: Mapping[str, int]
    is_state: bool = False
    """Whether it is a variable, which is never served without a look."""

    head_chunks: int = 0
    chunks: int = 0
    inline: bytes = field(default=b"", repr=False)

    def pack(self) -> bytes:
        """Return the pointer as it lies on the server."""
        gone_at = None if math.isinf(self.gone_at) else self.gone_at
        description = json.dumps(
            [self.size, self.owner, gone_at, self.tags, self.is_state]
        ).encode()
        return (
            _START.pack(self.id, self.head_chunks, self.chunks, len(description))
            + description
            + self.inline
        )

    @classmethod
    def parse(cls, packed: bytes) -> Pointer | None:
        """Return what a pointer says, None if it is malformed.

        It is not sealed; the entry that it leads to is.
        """
        try:
            identity, head_chunks, chunks, length = _START.unpack_from(packed)
            end = _START.size + length
            size, owner, gone_at, tags, is_state = json.loads(packed[_START.size : end])
            gone_at = math.inf if gone_at is None else float(gone_at)
            epochs = {tag: int(epoch) for tag, epoch in tags.items()}
            is_sound = (
                owner.isascii() and not math.isnan(gone_at) and head_chunks <= chunks <= MOST_CHUNKS
            )
            return (
                cls(
                    identity,
                    int(size),
                    owner,
                    gone_at,
                    epochs,
                    bool(is_state),
                    head_chunks,
                    chunks,
                    packed[end:],
                )
                if is_sound
                else None
            )
        except (struct.error, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class ChunkedEntry:
    """An entry cut into chunks, to be written."""

    head_count: int
    all: list[bytes | memoryview]

    def manifest(self) -> bytes:
        """Return the checksums of all chunks."""
        return b"".join(map(_checksum, self.all))


def cut(packed: Packed, encoded: Encoded) -> ChunkedEntry:
    """Return the chunks of an entry; buffers are copied only where a chunk holds several."""
    head = list(_cut([packed.head]))
    body = [chunk for segment in encoded.segments for chunk in _cut(segment.buffers)]
    return ChunkedEntry(len(head), head + body)


def _cut(buffers: Iterable[bytes | bytearray | memoryview]) -> Iterator[bytes | memoryview]:
    pending: list[memoryview] = []
    room = CHUNK
    for buffer in buffers:
        rest = memoryview(buffer).cast("B")
        while rest.nbytes:
            pending.append(rest[:room])
            rest = rest[room:]
            room -= pending[-1].nbytes
            if not room:
                yield _one(pending)
                pending, room = [], CHUNK
    if pending:
        yield _one(pending)


def _one(parts: Sequence[memoryview]) -> bytes | memoryview:
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _checksum(chunk: bytes | memoryview) -> bytes:
    return xxhash.xxh3_64(chunk).digest()


def is_manifest(manifest: bytes | None, pointer: Pointer) -> bool:
    """Return whether this has the checksums of as many chunks as the pointer says."""
    return manifest is not None and len(manifest) == _CHECKSUM_SIZE * pointer.chunks


def is_chunk(chunk: bytes | None, number: int, manifest: bytes) -> bool:
    """Return whether this is the chunk of that number, undamaged."""
    return (
        chunk is not None
        and _checksum(chunk) == manifest[_CHECKSUM_SIZE * number : _CHECKSUM_SIZE * (number + 1)]
    )


def chunks_of(entry: Entry, head_chunks: int, part: PartName | None) -> list[range]:
    """Return the numbers of the chunks of each segment, or of the segment of the *part*."""
    sizes = [sum(buffer.stop - buffer.start for buffer in buffers) for _, buffers in entry.segments]
    ends = list(itertools.accumulate((-(-size // CHUNK) for size in sizes), initial=head_chunks))
    numbers = [range(start, end) for start, end in itertools.pairwise(ends)]
    return numbers if part is None else [numbers[entry.names.index(part)]]


def join(
    entry: Entry, head: memoryview, chunks: Sequence[Sequence[bytes]], part: PartName | None
) -> Encoded | None:
    """Return the value, or one part of it, from the head and the chunks of each segment.

    None if they are of another length.
    """
    places = list(zip(entry.segments, entry.digests, strict=True))
    chosen = places if part is None else [places[entry.names.index(part)]]
    segments = []
    for ((header, buffers), digest), given in zip(chosen, chunks, strict=True):
        content = memoryview(bytearray().join(given))
        sizes = [buffer.stop - buffer.start for buffer in buffers]
        ends = list(itertools.accumulate(sizes, initial=0))
        if ends[-1] != len(content):
            return None  # the checksums of chunks are not sealed: somebody else has made them fit
        segments.append(
            Segment(
                head[header],
                [content[start:end] for start, end in itertools.pairwise(ends)],
                digest,
            )
        )
    return Encoded(entry.shape, entry.names if part is None else (part,), tuple(segments))


def parse_inline(key: bytes, inline: bytes, sealing_key: bytes) -> tuple[Entry, bytes] | None:
    """Return the entry that lies in its pointer, and its head.

    None if it is not the entry of *key*, whole and ours.
    """
    if not entries.is_whole(iter([inline])) or entries.head_size(inline) > len(inline):
        return None
    return parse_head(key, inline[: entries.head_size(inline)], len(inline), sealing_key)


def parse_head(
    key: bytes, head: bytes, size: int, sealing_key: bytes
) -> tuple[Entry, bytes] | None:
    """Return what an entry's head says, and the head.

    None if it is not the head of *key*'s entry of that size, and ours.
    """
    if len(head) < entries.PREFIX_SIZE or entries.head_size(head) != len(head):
        return None
    entry = entries.parse(head, sealing_key)
    return None if entry is None or entry.key != key or entry.size != size else (entry, head)


def is_epoch(value: bytes | None) -> TypeGuard[bytes]:
    """Return whether this is what we write as a tag's epoch."""
    return value is not None and len(value) < _EPOCH_DIGITS and value.isdigit()
