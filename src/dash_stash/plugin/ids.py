"""Ids that only this deployment can have made: of sessions, in a cookie, and of tabs and pages, which belong to a session."""

from __future__ import annotations

import base64
import binascii
import secrets
import struct
from dataclasses import dataclass

from dash_stash import keys, seal

ID_SIZE = 16
_SEAL_SIZE = 16

# The session's id, a number used for this cookie only, when it was issued (in seconds since the
# epoch).
_COOKIE = struct.Struct(">16s8sI")


@dataclass(frozen=True, slots=True)
class Cookie:
    """What proves a session."""

    session: bytes
    nonce: bytes
    issued: int

    @classmethod
    def new(cls, now: float, session: bytes | None = None) -> Cookie:
        """Make one, of a new session unless *session* is given."""
        return cls(session or secrets.token_bytes(ID_SIZE), secrets.token_bytes(8), int(now))

    @property
    def holder(self) -> str:
        """Whose the session's data is."""
        return f"session:{keys.digest(b'session', self.session).hex()}"

    @property
    def mark(self) -> str:
        """What stands for this cookie alone, also when it is issued anew."""
        return f"cookie:{keys.digest(b'cookie', self.session, self.nonce).hex()}"

    def sign(self, key: bytes) -> str:
        """Return the cookie's value."""
        return sign(_COOKIE.pack(self.session, self.nonce, self.issued), key)

    @classmethod
    def proven(cls, text: str, key: bytes) -> Cookie | None:
        """The cookie that *text* is, if we signed it."""
        body = proven(text, key, _COOKIE.size)
        return None if body is None else cls(*_COOKIE.unpack(body))


def sign(body: bytes, key: bytes, *context: bytes) -> str:
    """Return *body* as text that `proven` knows again, for the same key and context."""
    return _encoded(body + seal.make(key, body, *context, size=_SEAL_SIZE))


def proven(text: str, key: bytes, size: int, *context: bytes) -> bytes | None:
    """The *size* bytes that *text* was made from, if we signed it."""
    if len(text) != -(-4 * (size + _SEAL_SIZE) // 3):
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    body, sealed = raw[:size], raw[size:]
    # Only one spelling is what we signed: the last letter may have bits to spare, and others are
    # read as letters of ours.
    is_ours = _encoded(raw) == text and seal.matches(sealed, key, body, *context)
    return body if is_ours else None


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
