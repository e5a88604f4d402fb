"""The stores that the contract is tested against, and what a test does to them past the store itself."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Protocol

from dash_stash.stores.base import Limits, Store
from dash_stash.stores.local import LocalStore
from dash_stash.stores.redis import RedisStore
from servers import REDIS, VALKEY, Server
from support import LIMITS, SEALING_KEY, FakeClock, remove_folder


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

    def close(self) -> None:
        """End what runs for it."""
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
        remove_folder(self._folder)
        self._folder.write_text("a file where the folder was")

    def close(self) -> None:
        pass


class RedisLaboratory:
    """A server of its own.

    Each store that is opened is another machine's, but for every third, which shares a folder with
    the first.
    """

    def __init__(self, folder: pathlib.Path, clock: FakeClock, program: str = REDIS) -> None:
        self._folder, self.clock, self._opened = folder, clock, 0
        self._server = Server(folder.with_name(f"{folder.name}-server"), program=program)
        self._server.start()

    def open(self, *, sealing_key: bytes = SEALING_KEY, limits: Limits = LIMITS) -> Store:
        self._opened += 1
        folder = self._folder / f"machine{self._opened % 3}"
        folder.parent.mkdir(exist_ok=True)
        return RedisStore(self._server.url, folder, sealing_key, limits, lease=1, clock=self.clock)

    def stored(self) -> set[bytes]:
        return {bytes.fromhex(name[-33:-1].decode()) for name in self._keys("dash-stash:p:*")}

    def _keys(self, pattern: str) -> list[bytes]:
        answer = self._server.ask("KEYS", pattern)
        assert isinstance(answer, list)
        return answer

    def damage(self, key: bytes) -> None:
        remove_folder(self._folder)  # what machines have already is whole
        pieces = [
            name
            for name in self._keys(f"dash-stash:v:{{{key.hex()}}}*")
            if not name.endswith(b":m")
        ]
        for name in pieces or self._keys(f"dash-stash:p:{{{key.hex()}}}"):
            content = bytearray(self._server.client().get(name))
            content[-1] ^= 1
            self._server.ask("SET", name, bytes(content))

    def lay(self, key: bytes, *, in_place_of: bytes) -> None:
        for name in self._keys(f"dash-stash:[pv]:{{{key.hex()}}}*"):
            self._server.ask(
                "COPY",
                name,
                name.replace(key.hex().encode(), in_place_of.hex().encode()),
                "REPLACE",
            )

    def lose_listing(self) -> None:
        for name in self._keys("dash-stash:[thrs]:*"):
            self._server.ask("DEL", name)

    def ruin(self) -> None:
        self._server.kill()
        remove_folder(self._folder)
        self._folder.write_text("a file where the folder was")

    def close(self) -> None:
        self._server.kill()


def valkey(folder: pathlib.Path, clock: FakeClock) -> RedisLaboratory:
    return RedisLaboratory(folder, clock, VALKEY)


LABORATORIES: dict[str, Callable[[pathlib.Path, FakeClock], Laboratory]] = {
    "local": LocalLaboratory,
    "redis": RedisLaboratory,
    "valkey": valkey,
}
