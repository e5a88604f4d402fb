"""Seals: made and checked with the deployment's secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from dash_stash.errors import ConfigError

SECRET_VARIABLE = "DASH_STASH_SECRET"  # noqa: S105 (a variable's name)

SEAL_SIZE = 32
SHORTEST_SECRET = 16
_KEY_SIZE = 32


class Seal:
    """Makes and checks seals: keyed BLAKE2b, with a separate key for each purpose.

    Source: RFC 7693, section 2.9 (keyed hashing); keys are derived by hashing the purpose under the
    secret.
    """

    def __init__(self, name: str, *secrets: bytes) -> None:
        """Take the app's name and the deployment's secrets, each of at least 16 bytes.

        The first secret seals, and all of them open. The seals of an app with another name never
        match, whatever its secret.

        Raises:
            ConfigError: There is no secret, or a secret is too short.
        """
        shortest = min(map(len, secrets), default=0)
        if shortest < SHORTEST_SECRET:
            raise ConfigError(
                f"a secret has {shortest} bytes, but needs at least {SHORTEST_SECRET}. "
                "Make one with: dash-stash secret"
            )
        self._secrets = [
            hashlib.blake2b(name.encode(), key=hashlib.blake2b(secret).digest()).digest()
            for secret in secrets
        ]

    def key(self, purpose: str) -> bytes:
        """Return the key for *purpose*, 32 bytes per secret.

        A seal made for one purpose does not match for another.
        """
        return b"".join(
            hashlib.blake2b(purpose.encode(), key=secret, digest_size=_KEY_SIZE).digest()
            for secret in self._secrets
        )


def parts(key: bytes) -> Sequence[bytes]:
    """Return the keys that *key* is made of, one per secret."""
    return [key[start : start + _KEY_SIZE] for start in range(0, len(key), _KEY_SIZE)]


def make(key: bytes, *parts: bytes | memoryview, size: int = SEAL_SIZE) -> bytes:
    """Return the seal of *parts*, joined, in *size* bytes."""
    digest = hashlib.blake2b(key=key[:_KEY_SIZE], digest_size=size)
    for part in parts:
        digest.update(part)
    return digest.digest()


def matches(seal: bytes, key: bytes, *content: bytes | memoryview) -> bool:
    """Return whether *seal* was made of *content* with *key*, by any of its secrets.

    Takes the same time for every wrong seal.
    """
    # Check all of them, even if the first matches, so that the time is the same.
    checks = [hmac.compare_digest(seal, make(one, *content, size=len(seal))) for one in parts(key)]
    return any(checks)
