"""The sink that values are written into: different values give different chunks to hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from dash_stash import modules

KEY_SIZE = 16
"""The bytes of a key, half of a SHA-256: finding two values with one key takes 2**64 tries."""


class NoKey(Exception):
    """No key can be made from the type of a value, which was found at *path*."""

    def __init__(self, path: str, kind: str) -> None:
        super().__init__(path, kind)
        self.path, self.kind = path, kind


def digest(*parts: bytes) -> bytes:
    """Return the key of *parts*; the limits between the parts count."""
    text = hashlib.sha256()
    for part in parts:
        text.update(len(part).to_bytes(8, "little"))
        text.update(part)
    return text.digest()[:KEY_SIZE]


class Sink:
    """Takes the chunks of a value, and of the values in it.

    Writers keep to a grammar, so that two different values never have the same chunks: the first
    chunk of a value names its type, and a chunk before a child says that there is one.
    """

    __slots__ = ("_chunks", "code_of", "emit")

    writers: ClassVar[Mapping[type, Writer]]
    """By exact type."""

    def __init__(self, code_of: Callable[[type], bytes] | None) -> None:
        self._chunks: list[bytes] = []
        self.code_of = code_of
        self.emit = self._chunks.append

    def writer_of(self, value: object, path: str) -> Writer:
        """Return the writer of a value whose type is not in `writers`, or raise `NoKey`."""
        raise NotImplementedError

    def write(self, value: object, path: str) -> None:
        """Write a value; *path* names it in errors."""
        writer = self.writers.get(type(value)) or self.writer_of(value, path)
        writer(value, self, path)

    def write_all(self, values: list[Any], path: str) -> None:
        """Write values and their number; all texts as one long text."""
        if values and set(map(type, values)) == {str}:
            self.emit(b"texts" + ",".join(map(str, map(len, values))).encode())
            self.emit("".join(values).encode("utf-8", "surrogatepass"))
        else:
            self.emit(b"values%d" % len(values))
            for index, value in enumerate(values):
                self.write(value, f"{path}[{index}]")

    def emit_hashed(self, buffer: Any) -> None:
        """Take a long chunk: any contiguous buffer."""
        self.emit(hashlib.sha256(buffer).digest())

    def key(self) -> bytes:
        """Return the key of everything that was written."""
        return digest(*self._chunks)

    def key_of(self, value: object, path: str) -> bytes:
        """Return the key of one value alone."""
        inner = type(self)(self.code_of)
        inner.write(value, path)
        return inner.key()


Writer = Callable[[Any, Sink, str], None]


def public_name(kind: type) -> str:
    """Return the type's library and name, without the inner module, which other versions move."""
    return f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"


def full_name(kind: type) -> str:
    """Return the type's module and name; the module of the main program as others import it."""
    module = modules.main_name() if kind.__module__ == "__main__" else None
    return f"{module or kind.__module__}.{kind.__qualname__}"
