"""Errors about mistakes in `Stash`, `memo` and the environment: each says what was meant."""

from __future__ import annotations

import difflib
import inspect
import logging
import os
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from types import FunctionType
from typing import get_args

from dash_stash import naming, urls
from dash_stash.errors import ConfigError
from dash_stash.owner import Scope
from dash_stash.seal import SECRET_VARIABLE, SHORTEST_SECRET

_log = logging.getLogger("dash_stash")

_PREFIX = "DASH_STASH_"
_OPTIONS = "ttl, stale, scope, tags, version, ignore and share"
_FUNCTIONS = {"user": "lambda: ...", "on_expired": "lambda error: ...", "clock": "time.time"}
_ELSEWHERE = {"timeout": "ttl", "expire": "ttl", "expires": "ttl", "max_age": "ttl"}
"""The names of our options in other libraries."""


def check_first(app: object, url: object) -> None:
    """Refuse a URL in place of the app, and anything else than a URL in place of the URL."""
    if isinstance(app, str | os.PathLike):
        raise ConfigError(
            f"the first argument of Stash(app, url) is a dash.Dash, not a {type(app).__name__}: "
            "if it is the URL, write Stash(url=...)"
        )
    if isinstance(url, os.PathLike):
        meant = pathlib.Path(url).absolute().as_uri()
        raise ConfigError(f"url= is a path, but must be a URL: write url={meant!r}")
    if not isinstance(url, str | None):
        what = f"is a {type(url).__qualname__}, but must be text"
        raise ConfigError(f"url= {what}: {urls.FORMS}")


def check_functions(**given: Callable[..., object] | None) -> None:
    """Refuse anything else than a function."""
    for name, function in given.items():
        if not callable(function) and function is not None:
            raise ConfigError(
                f"{name}={function!r} must be a function: write {name}={_FUNCTIONS[name]}"
            )


def check_count(name: str, count: object) -> None:
    """Refuse a *count* that is not a whole number."""
    if isinstance(count, bool) or not isinstance(count, int):
        raise ConfigError(f"{name}={count!r} is not a whole number: write one, as in {name}=10_000")


def check_secrets(secrets: object, source: str) -> None:
    """Refuse a missing or too short secret; *source* says where the secrets come from."""
    make = "Make one with: dash-stash secret"
    if not isinstance(secrets, Sequence):
        what = f"is a {type(secrets).__qualname__}, but must be text or bytes, or a list of these"
        raise ConfigError(f"{source} {what}. {make}")
    if not secrets:
        raise ConfigError(f"{source} has no secret in it. {make}")
    for secret in secrets:
        if not isinstance(secret, str | bytes):
            what = f"a {type(secret).__qualname__} in it: secrets are text or bytes"
            raise ConfigError(f"{source} has {what}. {make}")
        size = len(secret.encode() if isinstance(secret, str) else secret)
        if size < SHORTEST_SECRET:
            bytes_ = "1 byte" if size == 1 else f"{size} bytes"
            several = " (commas separate secrets)" if len(secrets) > 1 else ""
            needed = f"at least {SHORTEST_SECRET} are needed{several}"
            raise ConfigError(f"{source} has a secret of {bytes_}, {needed}. {make}")


def warn_of_variables(environment: Mapping[str, str]) -> None:
    """Log a warning about environment variables that look like ours, but are not read.

    Without it, everything would seem to work.
    """
    known = [
        variable.removeprefix(_PREFIX)
        for variable in (urls.VARIABLE, SECRET_VARIABLE, naming.VARIABLE)
    ]
    for variable in environment:
        name = variable.removeprefix(_PREFIX)
        if variable.startswith(_PREFIX) and name not in known:
            for meant in difflib.get_close_matches(name, known, n=1):
                _log.warning(
                    "the environment variable %s is not read: %s%s is", variable, _PREFIX, meant
                )


def check_options(function: object, unknown: Iterable[str]) -> None:
    """Refuse options of `@stash.memo(...)` without a name, or with an unknown name."""
    if isinstance(function, int | float | str | timedelta):
        option = "scope" if function in get_args(Scope) else "ttl"
        named = f"give options by name, as in @stash.memo({option}={function!r})"
        raise ConfigError(f"@stash.memo takes a function, not {function!r}: {named}")
    for name in unknown:
        meant = f"write {_ELSEWHERE[name]}" if name in _ELSEWHERE else f"it has {_OPTIONS}"
        raise ConfigError(f"@stash.memo(...) has no option {name}: {meant}")


def check_names(option: str, given: object, example: str) -> None:
    """Refuse anything else than text or several texts, for an option that takes names."""
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{option}={given!r} must be {example}")


def check_generator(function: FunctionType) -> None:
    """Refuse a function that yields: a memo function returns its value."""
    name = function.__qualname__
    if inspect.isgeneratorfunction(function):
        raise ConfigError(
            f"{name}() is a generator function, and a generator cannot be stored: "
            "let it return a list, as in return list(...)"
        )
    if inspect.isasyncgenfunction(function):
        raise ConfigError(
            f"{name}() is an async generator function, and a generator cannot be stored: "
            "let it collect its values and return a list"
        )


def described(wrong: object) -> str:
    """Describe an object that is not a function, and say what to write instead."""
    if isinstance(wrong, property):
        name = getattr(wrong.fget, "__name__", "")
        return f'the property {name}: write @property above @stash.memo(ignore="self")'
    if not callable(wrong) and not isinstance(wrong, classmethod | staticmethod):
        kind = type(wrong).__qualname__
        return f"a {kind}: write @stash.memo above the def of the function that makes it"
    if isinstance(wrong, staticmethod):
        return f"the staticmethod {wrong.__name__}: write @staticmethod above @stash.memo"
    if isinstance(wrong, classmethod):
        return (
            f"the classmethod {wrong.__name__}: make it a function of the module "
            "that takes what it needs as arguments"
        )
    kind = "class" if isinstance(wrong, type) else type(wrong).__qualname__
    name = getattr(wrong, "__qualname__", repr(wrong))
    return (
        f"the {kind} {name}: call it in a function of your own, "
        "and write @stash.memo above the def of that function"
    )
