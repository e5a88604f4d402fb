"""Mistakes in calls of `Stash` and `memo` and in the environment, told with what was meant."""

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
"""What other libraries call our options."""


def check_first(app: object, url: object) -> None:
    """Refuse a URL in the place of the app, and what is no URL."""
    if isinstance(app, str | os.PathLike):
        raise ConfigError(
            f"Stash(app, url) takes a dash.Dash, not a {type(app).__name__}, first: "
            "write Stash(url=...) if that is the URL"
        )
    if isinstance(url, os.PathLike):
        meant = pathlib.Path(url).absolute().as_uri()
        raise ConfigError(f"url= is a path, and should be a URL: write url={meant!r}")
    if not isinstance(url, str | None):
        what = f"is a {type(url).__qualname__}, and should be text"
        raise ConfigError(f"url= {what}: {urls.FORMS}")


def check_functions(**given: Callable[..., object] | None) -> None:
    """Refuse what is given in the place of a function."""
    for name, function in given.items():
        if not callable(function) and function is not None:
            raise ConfigError(
                f"{name}={function!r} should be a function: write {name}={_FUNCTIONS[name]}"
            )


def check_count(name: str, count: object) -> None:
    """Refuse a *count* that is no whole number."""
    if isinstance(count, bool) or not isinstance(count, int):
        raise ConfigError(f"{name}={count!r} is not a whole number: write one, as in {name}=10_000")


def check_secrets(secrets: object, source: str) -> None:
    """Refuse no secrets, and too short ones; *source* says where they come from."""
    make = "Make one with: dash-stash secret"
    if not isinstance(secrets, Sequence):
        what = (
            f"is a {type(secrets).__qualname__}, and should be text or bytes, or several in a list"
        )
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
            several = ", and a comma ends each but the last" if len(secrets) > 1 else ""
            needed = f"at least {SHORTEST_SECRET} are needed{several}"
            raise ConfigError(f"{source} has a secret of {bytes_}, {needed}. {make}")


def warn_of_variables(environment: Mapping[str, str]) -> None:
    """Log a warning of environment variables that look like one of ours, but are not read.

    Otherwise everything would seem to work.
    """
    known = [
        variable.removeprefix(_PREFIX)
        for variable in (urls.VARIABLE, SECRET_VARIABLE, naming.VARIABLE)
    ]
    for variable in environment:
        name = variable.removeprefix(_PREFIX)
        if variable.startswith(_PREFIX) and name not in known:
            for meant in difflib.get_close_matches(name, known, n=1):
                _log.warning("the environment's %s is not read: %s%s is", variable, _PREFIX, meant)


def check_options(function: object, unknown: Iterable[str]) -> None:
    """Refuse options of `@stash.memo(...)` that have no name, or one that is unknown."""
    if isinstance(function, int | float | str | timedelta):
        option = "scope" if function in get_args(Scope) else "ttl"
        named = f"options are given by their names, as in @stash.memo({option}={function!r})"
        raise ConfigError(f"@stash.memo takes a function, not {function!r}: {named}")
    for name in unknown:
        meant = f"write {_ELSEWHERE[name]}" if name in _ELSEWHERE else f"there are {_OPTIONS}"
        raise ConfigError(f"@stash.memo(...) has no option {name}: {meant}")


def check_names(option: str, given: object, example: str) -> None:
    """Refuse what is neither text nor several texts, for an option that takes names."""
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{option}={given!r} should be {example}")


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
    """Describe what was given in the place of a function, and say what to write instead."""
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
        "and write @stash.memo above that one's def"
    )
