"""Mistakes in calls of `Stash` and `memo`: what was written, told with what was meant."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable
from datetime import timedelta

from dash_stash import folders
from dash_stash.errors import ConfigError

_OPTIONS = "ttl, stale, scope, tags, version, ignore and share"
# What other libraries call them.
_ELSEWHERE = {"timeout": "ttl", "expire": "ttl", "expires": "ttl", "max_age": "ttl"}


def check_first(app: object, url: object) -> None:
    """See that the app and the URL are not mistaken for one another, or for a path."""
    if isinstance(app, str | os.PathLike):
        raise ConfigError(f"Stash(app, url) takes a dash.Dash, not a {type(app).__name__}, first: write Stash(url=...) if that is the URL")
    if isinstance(url, os.PathLike):
        raise ConfigError(f"url= is a path, and should be a URL: write url={pathlib.Path(url).absolute().as_uri()!r}")
    if not isinstance(url, str | None):
        raise ConfigError(f"url= is a {type(url).__qualname__}, and should be text: " + folders.FORMS)


def check_options(function: object, unknown: Iterable[str]) -> None:
    """See that `@stash.memo(...)` was given options by their names, and only such as there are."""
    if isinstance(function, int | float | str | timedelta):
        named = f"options are given by their names, as in @stash.memo(ttl={function!r})"
        raise ConfigError(f"@stash.memo takes a function, not {function!r}: {named}")
    for name in unknown:
        meant = f"write {_ELSEWHERE[name]}" if name in _ELSEWHERE else f"there are {_OPTIONS}"
        raise ConfigError(f"@stash.memo(...) has no option {name}: {meant}")


def described(wrong: object) -> str:
    """What was given in the place of a function, and what to write instead."""
    if isinstance(wrong, staticmethod):
        return f"the staticmethod {wrong.__name__}: write @staticmethod above @stash.memo"
    if isinstance(wrong, classmethod):
        return f"the classmethod {wrong.__name__}: make it a function of the module that takes what it needs as arguments"
    kind = "class" if isinstance(wrong, type) else type(wrong).__qualname__
    name = getattr(wrong, "__qualname__", repr(wrong))
    return f"the {kind} {name}: call it in a function of your own, and write @stash.memo above that one's def"
