"""The names of the keys on the server.

What is in braces decides about a cluster's slot: all that belongs to one key shares one.
"""

from __future__ import annotations

from dash_stash import keys


class Keyspace:
    """The names of one app's keys."""

    def __init__(self, prefix: str) -> None:
        """Take what they begin with."""
        self.pointers = f"{prefix}:p:*"
        self.variables = f"{prefix}:variables"
        """The keys of the app's variables, each with the time until which it is stored."""

        self.sessions = f"{prefix}:sessions"
        """The sessions that have something stored, each with its last use."""

        self.new_sessions = f"{prefix}:new-sessions"
        """Those that were seen in one request only, each with when that was."""

        self.all_ended = f"{prefix}:ended"
        """The sessions and cookies that have ended, in the order in which they are forgotten."""

        self._prefix = prefix

    def pointer(self, key: bytes) -> str:
        """Where the pointer of *key* lies."""
        return f"{self._prefix}:p:{{{key.hex()}}}"

    def key(self, pointer: bytes) -> bytes | None:
        """Return the key whose pointer has this name, None if it is none of ours."""
        try:
            return bytes.fromhex(pointer.decode().rpartition("{")[2].removesuffix("}"))
        except ValueError:
            return None

    def lease(self, key: bytes) -> str:
        """Where stands who computes *key*."""
        return f"{self._prefix}:l:{{{key.hex()}}}"

    def outcome(self, key: bytes, token: bytes) -> str:
        """Where the flight with this token leaves its outcome."""
        return f"{self._prefix}:o:{{{key.hex()}}}:{token.hex()}"

    def chunks(self, key: bytes) -> str:
        """What the names of the chunks of all entries of *key* begin with."""
        return f"{self._prefix}:v:{{{key.hex()}}}:"

    def chunk(self, key: bytes, identity: bytes, number: int) -> str:
        """Where a chunk lies."""
        return f"{self.chunks(key)}{identity.hex()}:{number}"

    def manifest(self, key: bytes, identity: bytes) -> str:
        """Where the checksums of an entry's chunks lie."""
        return f"{self.chunks(key)}{identity.hex()}:m"

    def of_entry(self, key: bytes) -> tuple[str, str, str]:
        """What scripts that publish or delete the entry of *key* work on."""
        return self.pointer(key), self.lease(key), self.chunks(key)

    def epoch(self, tag: str) -> str:
        """Where the present epoch of a tag stands."""
        return f"{self._prefix}:e:{_short(tag)}"

    def tagged(self, tag: str) -> str:
        """The keys of the entries with a tag, each with the time until which it is stored."""
        return f"{self._prefix}:t:{_short(tag)}"

    def holder(self, holder: str) -> str:
        """What tells what a session or user has."""
        return f"{self._prefix}:h:{{{holder}}}"

    def order(self, holder: str) -> str:
        """In what order what a session or user has makes room."""
        return f"{self._prefix}:r:{{{holder}}}"

    def scope(self, scope: str) -> str:
        """What tells what a session, tab, page or user has.

        Begins with the name of its session's.
        """
        holder, slash, rest = scope.partition("/")
        return f"{self._prefix}:s:{{{holder}}}{slash}{rest}"

    def ended(self, holder: str) -> str:
        """What tells that a session has ended."""
        return f"{self._prefix}:n:{{{holder}}}"


def _short(text: str) -> str:
    return keys.digest(text.encode("utf-8", "surrogatepass")).hex()
