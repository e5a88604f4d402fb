"""Ids that only this deployment can have made, as text that a browser keeps.

The id of a session stands in its cookie. Those of tabs and pages are signed for one session.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import struct
from dataclasses import dataclass
from typing import NamedTuple

from dash_stash import keys, owner, seal
from dash_stash.owner import CookieName, Owner

ID_SIZE = 16
_SEAL_SIZE = 16

# The session's id, a number used for this cookie only, when it was issued (in seconds since the
# epoch).
_COOKIE = struct.Struct(">16s8sI")


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """What proves a session."""

    session: bytes
    nonce: bytes
    issued: int

    @classmethod
    def new(cls, now: float, session: bytes | None = None) -> SessionCookie:
        """Make one, of a new session unless *session* is given."""
        return cls(session or secrets.token_bytes(ID_SIZE), secrets.token_bytes(8), int(now))

    @property
    def owner(self) -> Owner:
        """The session."""
        return owner.make("session", keys.digest(b"session", self.session))

    @property
    def name(self) -> CookieName:
        """What names this cookie in the store; the same when it is issued anew."""
        return owner.cookie(keys.digest(b"cookie", self.session, self.nonce))

    def sign(self, key: bytes) -> str:
        """Return the cookie's value."""
        return sign(_COOKIE.pack(self.session, self.nonce, self.issued), key)

    @classmethod
    def proven(cls, text: str, key: bytes) -> SessionCookie | None:
        """Return the cookie whose value is *text*, None if we did not sign it."""
        body = proven(text, key, _COOKIE.size)
        return None if body is None else cls(*_COOKIE.unpack(body))


class PageIds(NamedTuple):
    """The ids of a page and its tab, None where they are not proven."""

    page: bytes | None = None
    tab: bytes | None = None

    @classmethod
    def new(cls) -> PageIds:
        """Make random ones."""
        return cls(secrets.token_bytes(ID_SIZE), secrets.token_bytes(ID_SIZE))


def sign(body: bytes, key: bytes, *context: bytes) -> str:
    """Return *body* as text that `proven` accepts for the same key and context."""
    return _encoded(body + seal.make(key, body, *context, size=_SEAL_SIZE))


def proven(text: str, key: bytes, size: int, *context: bytes) -> bytes | None:
    """Return the *size* bytes that `sign` made *text* from, None if we did not sign it."""
    if len(text) != -(-4 * (size + _SEAL_SIZE) // 3):
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    body, sealed = raw[:size], raw[size:]
    # Base64 has several spellings for the same bytes, as the last letter may have spare bits: only
    # the one that we wrote is accepted.
    is_ours = _encoded(raw) == text and seal.matches(sealed, key, body, *context)
    return body if is_ours else None


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
