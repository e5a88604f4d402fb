"""The names of the keys on the server.

What is in braces decides about a cluster's slot: all that belongs to one key shares a slot.
"""

from __future__ import annotations

from dash_stash import keys
from dash_stash.owner import Owner


class Keyspace:
    """The names of one app's keys on the server."""

    def __init__(self, prefix: str) -> None:
        """Take what they begin with."""
        self.pointers = f"{prefix}:p:*"
        self.variables = f"{prefix}:variables"
        """The keys of the app's variables, each with the time until which it is stored."""

        self.sessions = f"{prefix}:sessions"
        """The sessions that have something stored, each with its last use."""

        self.new_sessions = f"{prefix}:new-sessions"
        """The sessions that were seen in one request only, each with the time of that."""

        self.all_ended = f"{prefix}:ended"
        """The sessions and cookies that have ended, in the order in which they are forgotten."""

        self._prefix = prefix

    def pointer(self, key: bytes) -> str:
        """Return the key of the pointer of *key*."""
        return f"{self._prefix}:p:{{{key.hex()}}}"

    def key(self, pointer: bytes) -> bytes | None:
        """Return the key whose pointer has this name, None if it is none of ours."""
        try:
            return bytes.fromhex(pointer.decode().rpartition("{")[2].removesuffix("}"))
        except ValueError:
            return None

    def lease(self, key: bytes) -> str:
        """Where the token of the flight lies that computes *key*."""
        return f"{self._prefix}:l:{{{key.hex()}}}"

    def outcome(self, key: bytes, token: bytes) -> str:
        """Where the flight with this token leaves its outcome."""
        return f"{self._prefix}:o:{{{key.hex()}}}:{token.hex()}"

    def chunks(self, key: bytes) -> str:
        """Return what the names of all chunks of *key* begin with."""
        return f"{self._prefix}:v:{{{key.hex()}}}:"

    def chunk(self, key: bytes, identity: bytes, number: int) -> str:
        """Return the key of a chunk."""
        return f"{self.chunks(key)}{identity.hex()}:{number}"

    def manifest(self, key: bytes, identity: bytes) -> str:
        """Where the checksums of an entry's chunks lie."""
        return f"{self.chunks(key)}{identity.hex()}:m"

    def of_entry(self, key: bytes) -> tuple[str, str, str]:
        """Return the keys of the scripts that publish or delete the entry of *key*."""
        return self.pointer(key), self.lease(key), self.chunks(key)

    def epoch(self, tag: str) -> str:
        """Return the key of the present epoch of a tag."""
        return f"{self._prefix}:e:{_short(tag)}"

    def tagged(self, tag: str) -> str:
        """Return the key of the list of entries with a tag, each with its time of expiry."""
        return f"{self._prefix}:t:{_short(tag)}"

    def account(self, account: Owner) -> str:
        """Return the hash of what a session or user has."""
        return f"{self._prefix}:h:{{{account}}}"

    def order(self, account: Owner) -> str:
        """Return the order in which what a session or user has makes room."""
        return f"{self._prefix}:r:{{{account}}}"

    def of_account(self, account: Owner) -> tuple[str, str, str]:
        """Return the keys of the scripts that note what a session or user has."""
        return self.account(account), self.order(account), self.owner(account)

    def owner(self, owner: Owner) -> str:
        """Return the hash of what a session, tab, page or user has.

        A tab's or page's begins with the name of its session's.
        """
        account, slash, rest = owner.partition("/")
        return f"{self._prefix}:s:{{{account}}}{slash}{rest}"

    def ended(self, account: Owner) -> str:
        """Where it lies that a session has ended."""
        return f"{self._prefix}:n:{{{account}}}"


def _short(text: str) -> str:
    return keys.digest(text.encode("utf-8", "surrogatepass")).hex()
