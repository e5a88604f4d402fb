"""The deployment's secret, and the seals made with it."""

from __future__ import annotations

import hashlib
import hmac

from dash_stash.errors import ConfigError

SEAL_SIZE = 32
SHORTEST_SECRET = 16


class Seal:
    """Makes and checks seals: keyed BLAKE2b, with a key of its own for each purpose.

    Source: RFC 7693, section 2.9 (keyed hashing); keys are derived by hashing the purpose under the secret.
    """

    def __init__(self, secret: bytes) -> None:
        """Take the deployment's secret, at least 16 bytes.

        Raises:
            ConfigError: The secret is shorter.
        """
        if len(secret) < SHORTEST_SECRET:
            raise ConfigError(
                f"the secret has {len(secret)} bytes, at least {SHORTEST_SECRET} are needed. "
                'Make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
            )
        self._secret = hashlib.blake2b(secret).digest()

    def key(self, purpose: str) -> bytes:
        """Return the 32-byte key for *purpose*; a seal made for one purpose says nothing for another."""
        return hashlib.blake2b(purpose.encode(), key=self._secret, digest_size=32).digest()


def make(key: bytes, *parts: bytes | memoryview, size: int = SEAL_SIZE) -> bytes:
    """Return the seal of *parts*, taken as one text, in *size* bytes."""
    digest = hashlib.blake2b(key=key, digest_size=size)
    for part in parts:
        digest.update(part)
    return digest.digest()


def matches(seal: bytes, key: bytes, *parts: bytes | memoryview) -> bool:
    """Whether *seal* was made with *key* of *parts*; takes the same time for every wrong seal."""
    return hmac.compare_digest(seal, make(key, *parts, size=len(seal)))
