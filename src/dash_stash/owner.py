"""Owners of data. Only this module makes the text that names an owner, and takes it apart.

    ""                      the app
    "user:ID"               a user
    "session:ID"            a browser session
    "session:ID/tab:ID"     one of its tabs
    "session:ID/page:ID"    one of its pages

An ID is a digest, in hexadecimal digits.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, NewType, cast, get_args

from dash_stash.errors import ConfigError

Scope = Literal["app", "user", "session", "tab", "page"]
"""The kind of an owner."""

Owner = NewType("Owner", str)
"""The owner of a value. At run time it is plain text, which JSON, SQL and Lua accept."""

CookieName = NewType("CookieName", Owner)
"""A session's cookie, "cookie:ID": an account without data, which ends when it is replaced."""

APP = Owner("")
"""The owner of data that belongs to the whole app."""

_ID = "[0-9a-f]+"
_TEXT = re.compile(f"user:{_ID}|session:{_ID}(?:/(?:tab|page):{_ID})?")


class Parts(NamedTuple):
    """The parts of an owner's text."""

    scope: Scope
    id: str
    account: Owner
    """The session or user that the owner is, or belongs to; for the app, the app."""


def make(scope: Scope, digest: bytes, session: Owner = APP) -> Owner:
    """Return the owner of a scope that is not the app; a tab or page belongs to a *session*."""
    name = f"{scope}:{digest.hex()}"
    return Owner(f"{session}/{name}" if session else name)


def parse(text: str) -> Parts | None:
    """Return the parts of an owner's text, or None if the text is malformed."""
    if text == APP:
        return Parts("app", "", APP)
    if _TEXT.fullmatch(text) is None:
        return None
    scope, name = text.rpartition("/")[2].split(":")
    return Parts(cast(Scope, scope), name, account_of(Owner(text)))


def account_of(owner: Owner) -> Owner:
    """Return the session or user that *owner* is, or belongs to; for the app, the app."""
    return Owner(owner.partition("/")[0])


def cookie(digest: bytes) -> CookieName:
    """Return the name of a cookie in the store."""
    return CookieName(Owner(f"cookie:{digest.hex()}"))


def check_scope(scope: str) -> None:
    """Check that *scope* is the name of a scope.

    Raises:
        ConfigError: There is no such scope.
    """
    if scope not in get_args(Scope):
        raise ConfigError(f"scope={scope!r} is not one of {', '.join(map(repr, get_args(Scope)))}")
