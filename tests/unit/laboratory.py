"""The stores that the contract is tested against, and what a test does to them past the store itself."""

from __future__ import annotations

import os
import pathlib
import shutil
from collections.abc import Callable
from typing import Protocol

from dash_stash.stores.base import Limits, Store
from dash_stash.stores.local import LocalStore
from support import LIMITS, SEALING_KEY, FakeClock


class Laboratory(Protocol):
    """One place for data, which any number of stores open, as workers do."""

    clock: FakeClock

    def open(self, *, sealing_key: bytes = SEALING_KEY, limits: Limits = LIMITS) -> Store:
        """Open the place anew, as another worker would."""
        ...

    def stored(self) -> set[bytes]:
        """The keys whose bytes lie there, whatever a store says."""
        ...

    def damage(self, key: bytes) -> None:
        """Flip a byte of a value."""
        ...

    def lay(self, key: bytes, *, in_place_of: bytes) -> None:
        """Copy the bytes of one key to another."""
        ...

    def lose_listing(self) -> None:
        """Destroy what is only needed for listings."""
        ...

    def ruin(self) -> None:
        """Put everything out of reach, for good."""
        ...


class LocalLaboratory:
    """A folder."""

    def __init__(self, folder: pathlib.Path, clock: FakeClock) -> None:
        self._folder, self.clock = folder, clock

    def open(self, *, sealing_key: bytes = SEALING_KEY, limits: Limits = LIMITS) -> Store:
        return LocalStore(self._folder, sealing_key, limits, clock=self.clock)

    def _file(self, key: bytes) -> pathlib.Path:
        return self._folder / "entries" / key.hex()[:2] / key.hex()

    def stored(self) -> set[bytes]:
        return {bytes.fromhex(path.name) for path in (self._folder / "entries").glob("*/*")}

    def damage(self, key: bytes) -> None:
        content = bytearray(self._file(key).read_bytes())
        content[-1] ^= 1
        self._replace(key, bytes(content))

    def lay(self, key: bytes, *, in_place_of: bytes) -> None:
        self._replace(in_place_of, self._file(key).read_bytes())

    def _replace(self, key: bytes, content: bytes) -> None:
        temporary = self._folder / "replacement"
        temporary.write_bytes(content)
        self._file(key).parent.mkdir(exist_ok=True)
        os.replace(temporary, self._file(key))

    def lose_listing(self) -> None:
        for path in self._folder.glob("index*"):
            path.unlink()

    def ruin(self) -> None:
        shutil.rmtree(self._folder)
        self._folder.write_text("a file where the folder was")


LABORATORIES: dict[str, Callable[[pathlib.Path, FakeClock], Laboratory]] = {"local": LocalLaboratory}
