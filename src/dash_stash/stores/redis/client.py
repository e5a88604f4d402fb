"""What we use of redis-py, as types: its own say little, and differ from version to version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, Self, TypeAlias, TypeGuard, Union, cast

import redis

Word: TypeAlias = str | bytes | memoryview | int | float
"""One word of a command."""

Answer: TypeAlias = Union[  # noqa: UP007 (it names itself)
    bytes, int, float, list["Answer"], dict[bytes, bytes], None
]
"""What the server answers, as redis-py reads it."""


class Pipeline(Protocol):
    """Commands that are sent together."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def execute_command(self, *words: Word) -> object:
        """Add a command."""
        ...

    def execute(self, raise_on_error: bool = True) -> list[Answer | Exception]:  # noqa: FBT001, FBT002 (redis-py's)
        """Send the commands and return the answers."""
        ...


class PushParser(Protocol):
    """What reads answers and messages from a connection, as redis-py 5.0 has it."""

    def set_push_handler(self, handler: Callable[[Sequence[Answer]], object]) -> None:
        """Have the function called with each message that is pushed."""
        ...


class Connection(Protocol):
    """One connection, on which the server may push messages."""

    _parser: PushParser

    def connect(self) -> None:
        """Connect."""
        ...

    def send_command(self, *words: Word) -> None:
        """Send a command."""
        ...

    def can_read(self, timeout: float) -> bool:
        """Wait for something to read; return whether there is."""
        ...

    def read_response(self, *, push_request: bool = False) -> Answer:
        """Read an answer, or a message that was pushed."""
        ...

    def disconnect(self) -> None:
        """Close the connection."""
        ...


class Pool(Protocol):
    """The connections of a client."""

    def make_connection(self) -> Connection:
        """Return a connection that is the caller's own, not opened yet."""
        ...

    def disconnect(self) -> None:
        """Close all connections."""
        ...


class Client(Protocol):
    """A client of one server, or of a cluster."""

    connection_pool: Pool

    def pipeline(self, *, transaction: bool) -> Pipeline:
        """Return commands that are to be sent together."""
        ...

    def get(self, name: str) -> bytes | None:
        """Return the value of a key."""
        ...

    def mget(self, names: Sequence[str]) -> list[bytes | None]:
        """Return the values of some keys."""
        ...

    def exists(self, name: str) -> int:
        """Return whether there is a key."""
        ...

    def blmove(self, first: str, second: str, timeout: float, src: str, dest: str) -> bytes | None:
        """Move an element from one list to another, and wait for it if need be."""
        ...

    def eval(self, script: str, count: int, /, *words: Word) -> Answer:
        """Run a script, of which the server keeps the text."""
        ...

    def evalsha(self, digest: str, count: int, /, *words: Word) -> Answer:
        """Run a script that the server has the text of."""
        ...

    def scan_iter(self, *, match: str, count: int) -> Iterator[bytes]:
        """Go through the names of the keys that match."""
        ...


class ClusterClient(Client, Protocol):
    """A client of a cluster, where one command cannot ask several nodes."""

    def mget_nonatomic(self, names: Sequence[str]) -> list[bytes | None]:
        """Return the values of some keys, wherever they lie."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


def is_cluster(client: Client) -> TypeGuard[ClusterClient]:
    """Return whether this is the client of a cluster."""
    return isinstance(client, redis.RedisCluster)


# What a command answers is known where it is sent. What lies under our names may be somebody
# else's: then the server answers with an error, not with an answer of another type.


def as_list(answer: Answer) -> list[bytes]:
    """Return the answer of a command that lists names, members or fields."""
    return cast(list[bytes], answer)


def as_values(answer: Answer) -> list[bytes | None]:
    """Return the answer of a command that returns several values."""
    return cast(list[bytes | None], answer)


def as_fields(answer: Answer) -> dict[bytes, bytes]:
    """Return the answer of HGETALL."""
    return cast(dict[bytes, bytes], answer)


def as_bytes(answer: Answer) -> bytes | None:
    """Return the answer of a command that returns one value."""
    return cast(bytes | None, answer)


def as_int(answer: Answer) -> int:
    """Return the answer of a command that counts."""
    return cast(int, answer)
