"""The places of the stores that the contract is tested with: a folder, Redis, Valkey."""

from __future__ import annotations

import contextlib
import os
import pathlib
import resource
from collections.abc import Callable, Iterator

from dash_stash.stores.base import Limits, Store
from dash_stash.stores.local import LocalStore
from dash_stash.stores.redis import RedisStore
from dash_stash.testing import LIMITS, SEALING_KEY, ManualClock
from servers import REDIS, VALKEY, Server
from support import remove_folder, sweep


class LocalPlace:
    """A folder."""

    def __init__(self, folder: pathlib.Path, clock: ManualClock) -> None:
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

    def copy(self, key: bytes, *, to: bytes) -> None:
        self._replace(to, self._file(key).read_bytes())

    def _replace(self, key: bytes, content: bytes) -> None:
        temporary = self._folder / "replacement"
        temporary.write_bytes(content)
        self._file(key).parent.mkdir(exist_ok=True)
        os.replace(temporary, self._file(key))

    def lose_listing(self) -> None:
        for path in self._folder.glob("index*"):
            path.unlink()

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        sweep(self.open())

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """Let the kernel refuse to make any file of this process larger than 100 kB."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    def cut_off(self) -> None:
        self.ruin()

    def ruin(self) -> None:
        remove_folder(self._folder)
        self._folder.write_text("a file where the folder was")

    def close(self) -> None:
        pass


class RedisPlace:
    """A server of its own.

    Each store that is opened is another machine's, but for every third, which shares a folder with
    the first.
    """

    def __init__(self, folder: pathlib.Path, clock: ManualClock, program: str = REDIS) -> None:
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

    def copy(self, key: bytes, *, to: bytes) -> None:
        for name in self._keys(f"dash-stash:[pv]:{{{key.hex()}}}*"):
            other = name.replace(key.hex().encode(), to.hex().encode())
            self._server.ask("COPY", name, other, "REPLACE")

    def lose_listing(self) -> None:
        for name in self._keys("dash-stash:[thrs]:*"):
            self._server.ask("DEL", name)

    def pass_time(self, seconds: float) -> None:
        """Set the clock forward, and take that time off what each key has left."""
        self.clock.now += seconds
        with self._server.client() as client:
            for name in self._keys("*"):
                left = client.pttl(name)
                if left >= 0:
                    client.pexpire(name, max(0, left - int(1000 * seconds)))

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        used = self._server.client().info("memory")["used_memory"]
        self._server.ask("CONFIG", "SET", "maxmemory", used)
        try:
            yield
        finally:
            self._server.ask("CONFIG", "SET", "maxmemory", 0)

    def cut_off(self) -> None:
        self._server.kill()

    def ruin(self) -> None:
        self._server.kill()
        remove_folder(self._folder)
        self._folder.write_text("a file where the folder was")

    def close(self) -> None:
        self._server.kill()


def valkey(folder: pathlib.Path, clock: ManualClock) -> RedisPlace:
    return RedisPlace(folder, clock, VALKEY)


PLACES: dict[str, Callable[[pathlib.Path, ManualClock], LocalPlace | RedisPlace]] = {
    "local": LocalPlace,
    "redis": RedisPlace,
    "valkey": valkey,
}
