"""The deployment's secret, and the seals made with it."""

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
    """Makes and checks seals: keyed BLAKE2b, with a key of its own for each purpose.

    Source: RFC 7693, section 2.9 (keyed hashing); keys are derived by hashing the purpose under the
    secret.
    """

    def __init__(self, name: str, *secrets: bytes) -> None:
        """Take the app's name and the deployment's secrets, each at least 16 bytes: the first seals, all open.

        What an app of another name has sealed does not open, whatever its secret.

        Raises:
            ConfigError: There is none, or one is shorter.
        """
        shortest = min(map(len, secrets), default=0)
        if shortest < SHORTEST_SECRET:
            raise ConfigError(
                f"a secret has {shortest} bytes, at least {SHORTEST_SECRET} are needed. Make one with: dash-stash secret"
            )
        self._secrets = [
            hashlib.blake2b(name.encode(), key=hashlib.blake2b(secret).digest()).digest()
            for secret in secrets
        ]

    def key(self, purpose: str) -> bytes:
        """Return the key for *purpose*, 32 bytes per secret.

        A seal made for one purpose says nothing for another.
        """
        return b"".join(
            hashlib.blake2b(purpose.encode(), key=secret, digest_size=_KEY_SIZE).digest()
            for secret in self._secrets
        )


def parts(key: bytes) -> Sequence[bytes]:
    """Return the keys that *key* is made of, one per secret."""
    return [key[start : start + _KEY_SIZE] for start in range(0, len(key), _KEY_SIZE)]


def make(key: bytes, *parts: bytes | memoryview, size: int = SEAL_SIZE) -> bytes:
    """Return the seal of *parts*, taken as one text, in *size* bytes."""
    digest = hashlib.blake2b(key=key[:_KEY_SIZE], digest_size=size)
    for part in parts:
        digest.update(part)
    return digest.digest()


def matches(seal: bytes, key: bytes, *content: bytes | memoryview) -> bool:
    """Whether *seal* was made with *key*, whichever secret it came from, of *content*.

    Takes the same time for every wrong seal.
    """
    checks = [
        hmac.compare_digest(seal, make(one, *content, size=len(seal))) for one in parts(key)
    ]  # all, however the first ends
    return any(checks)
