"""The options of a `Stash`, from its arguments or the environment: checked and converted."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from dash_stash import mistakes, urls
from dash_stash.clock import Clock, Duration, seconds
from dash_stash.errors import ConfigError, StashError
from dash_stash.naming import Name
from dash_stash.seal import SECRET_VARIABLE
from dash_stash.sizes import Size, in_bytes
from dash_stash.stores.base import Limits

GuardMode = Literal["warn", "raise", "off"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of one `Stash`; the docstring of `Stash` explains each."""

    name: Name
    url: str | None
    """None for the app's own folder."""

    is_url_found: bool
    """Whether the URL comes from the environment."""

    secrets: Sequence[bytes]
    """If it is empty, the folder's own secret is used."""

    limits: Limits
    user: Callable[[], str | bytes | int | None] | None
    cross_site: bool
    on_expired: Callable[[StashError], str] | None
    guard: GuardMode | None
    clock: Clock

    def __post_init__(self) -> None:
        """Check the functions and the guard's mode.

        Raises:
            ConfigError: An option must be a function and is not, or the guard has no such mode.
        """
        mistakes.check_functions(user=self.user, on_expired=self.on_expired, clock=self.clock)
        if self.guard not in (None, *get_args(GuardMode)):
            raise ConfigError(
                f'guard={self.guard!r} must be "warn", "raise", "off", '
                'or None for "warn" in debug mode'
            )


def url_of(given: str | None) -> tuple[str | None, bool]:
    """Return the given URL, else the environment's; and whether it comes from the environment."""
    if given is not None:
        return given, False
    found = os.environ.get(urls.VARIABLE) or None
    return found, found is not None


def secrets_of(given: str | bytes | Sequence[str | bytes] | None) -> list[bytes]:
    """Return the given secrets, else the environment's; an empty list if there are none.

    Raises:
        ConfigError: A secret is too short, or is neither text nor bytes.
    """
    if given is None:
        given = list(filter(None, os.environ.get(SECRET_VARIABLE, "").split(",")))
        if given:
            mistakes.check_secrets(given, SECRET_VARIABLE)
    else:
        given = [given] if isinstance(given, str | bytes) else given
        mistakes.check_secrets(given, "secret=")
    return [secret.encode() if isinstance(secret, str) else secret for secret in given]


def limits_of(
    max_bytes: Size,
    max_entries: int,
    max_sessions: int,
    max_session_bytes: Size | None,
    idle: Duration,
) -> Limits:
    """Return the limits of the store; by default a session may have a quarter of the bytes.

    Raises:
        ConfigError: A limit is not a number, or is not more than 0.
    """
    mistakes.check_count("max_entries", max_entries)
    mistakes.check_count("max_sessions", max_sessions)
    room = in_bytes(max_bytes, "max_bytes")
    share = (
        max(1, room // 4)
        if max_session_bytes is None
        else in_bytes(max_session_bytes, "max_session_bytes")
    )
    limits = Limits(room, max_entries, max_sessions, share, seconds(idle, "idle"))
    for name in Limits.__slots__:
        if getattr(limits, name) <= 0:
            raise ConfigError(f"{name}={getattr(limits, name)} must be more than 0")
    return limits
