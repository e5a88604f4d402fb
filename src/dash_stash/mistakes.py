"""Mistakes in calls of `Stash` and `memo`, and in the environment: what was written, told with what was meant."""

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
from dash_stash.scope import Scope
from dash_stash.seal import SECRET_VARIABLE, SHORTEST_SECRET

_log = logging.getLogger("dash_stash")

_PREFIX = "DASH_STASH_"
_OPTIONS = "ttl, stale, scope, tags, version, ignore and share"
_FUNCTIONS = {"user": "lambda: ...", "on_expired": "lambda error: ...", "clock": "time.time"}
# What other libraries call them.
_ELSEWHERE = {"timeout": "ttl", "expire": "ttl", "expires": "ttl", "max_age": "ttl"}


def check_first(app: object, url: object) -> None:
    """See that the app and the URL are not mistaken for one another, or for a path."""
    if isinstance(app, str | os.PathLike):
        raise ConfigError(
            f"Stash(app, url) takes a dash.Dash, not a {type(app).__name__}, first: write Stash(url=...) if that is the URL"
        )
    if isinstance(url, os.PathLike):
        raise ConfigError(
            f"url= is a path, and should be a URL: write url={pathlib.Path(url).absolute().as_uri()!r}"
        )
    if not isinstance(url, str | None):
        raise ConfigError(f"url= is a {type(url).__qualname__}, and should be text: " + urls.FORMS)


def check_functions(**given: Callable[..., object] | None) -> None:
    """See that functions were given, where any were."""
    for name, function in given.items():
        if not callable(function) and function is not None:
            raise ConfigError(
                f"{name}={function!r} should be a function: write {name}={_FUNCTIONS[name]}"
            )


def check_count(name: str, count: object) -> None:
    """See that *count* is a whole number."""
    if isinstance(count, bool) or not isinstance(count, int):
        raise ConfigError(f"{name}={count!r} is not a whole number: write one, as in {name}=10_000")


def check_secrets(secrets: object, source: str) -> None:
    """See that there are secrets, none of them too short; *source* says where they come from."""
    make = "Make one with: dash-stash secret"
    if not isinstance(secrets, Sequence):
        what = f"is a {type(secrets).__qualname__}"
        raise ConfigError(
            f"{source} {what}, and should be text or bytes, or several in a list. {make}"
        )
    if not secrets:
        raise ConfigError(f"{source} has no secret in it. {make}")
    for secret in secrets:
        if not isinstance(secret, str | bytes):
            raise ConfigError(
                f"{source} has a {type(secret).__qualname__} in it: secrets are text or bytes. {make}"
            )
        size = len(secret.encode() if isinstance(secret, str) else secret)
        if size < SHORTEST_SECRET:
            bytes_ = "1 byte" if size == 1 else f"{size} bytes"
            several = ", and a comma ends each but the last" if len(secrets) > 1 else ""
            raise ConfigError(
                f"{source} has a secret of {bytes_}, at least {SHORTEST_SECRET} are needed{several}. {make}"
            )


def warn_of_variables(environment: Mapping[str, str]) -> None:
    """Log which variables of the environment look like one that is read, and are not: without it all would seem to work."""
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
    """See that `@stash.memo(...)` was given options by their names, and only such as there are."""
    if isinstance(function, int | float | str | timedelta):
        option = "scope" if function in get_args(Scope) else "ttl"
        named = f"options are given by their names, as in @stash.memo({option}={function!r})"
        raise ConfigError(f"@stash.memo takes a function, not {function!r}: {named}")
    for name in unknown:
        meant = f"write {_ELSEWHERE[name]}" if name in _ELSEWHERE else f"there are {_OPTIONS}"
        raise ConfigError(f"@stash.memo(...) has no option {name}: {meant}")


def check_names(option: str, given: object, example: str) -> None:
    """See that an option which takes names got text, or several texts."""
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{option}={given!r} should be {example}")


def check_generator(function: FunctionType) -> None:
    """See that a function returns its value, which one that yields does not."""
    name = function.__qualname__
    if inspect.isgeneratorfunction(function):
        raise ConfigError(
            f"{name}() is a generator function, and a generator cannot be stored: let it return a list, return list(...)"
        )
    if inspect.isasyncgenfunction(function):
        raise ConfigError(
            f"{name}() is an async generator function, which cannot be stored: let it collect its values and return a list"
        )


def described(wrong: object) -> str:
    """What was given in the place of a function, and what to write instead."""
    if isinstance(wrong, property):
        return f'the property {getattr(wrong.fget, "__name__", "")}: write @property above @stash.memo(ignore="self")'
    if not callable(wrong) and not isinstance(wrong, classmethod | staticmethod):
        return f"a {type(wrong).__qualname__}: write @stash.memo above the def of the function that makes it"
    if isinstance(wrong, staticmethod):
        return f"the staticmethod {wrong.__name__}: write @staticmethod above @stash.memo"
    if isinstance(wrong, classmethod):
        return f"the classmethod {wrong.__name__}: make it a function of the module that takes what it needs as arguments"
    kind = "class" if isinstance(wrong, type) else type(wrong).__qualname__
    name = getattr(wrong, "__qualname__", repr(wrong))
    return f"the {kind} {name}: call it in a function of your own, and write @stash.memo above that one's def"
