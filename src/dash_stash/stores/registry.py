"""Stores by the schemes of their URLs: ours, and those of other packages."""

from __future__ import annotations

import importlib
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from dash_stash import folders, private_files, urls
from dash_stash.clock import Clock
from dash_stash.errors import ConfigError, StashError, StoreUnavailable
from dash_stash.seal import SECRET_VARIABLE, Seal
from dash_stash.stores.base import Limits, Store, StoreConfig
from dash_stash.urls import StoreURL

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "dash_stash.stores"
"""The entry points by which other packages plug in: a scheme, and what opens its stores."""

_Opener = Callable[[StoreConfig], Store]

_LOCAL, _REDIS = "dash_stash.stores.local", "dash_stash.stores.redis"

# Not entry points of our own: to read those takes milliseconds, at each start of each worker, and
# a wheel that is imported from its zip has none.
_OURS: Mapping[str, str] = {
    "file": _LOCAL,
    "redis": _REDIS,
    "rediss": _REDIS,
    "valkey": _REDIS,
    "valkeys": _REDIS,
    "unix": _REDIS,
}


class OpenedStore(NamedTuple):
    """A store, and what comes with it."""

    store: Store
    seal: Seal
    folder: pathlib.Path
    """What the store has on this machine, for this name of an app alone."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a Stash asks of its store, whichever it is."""

    name: str
    secrets: Sequence[bytes]
    limits: Limits
    clock: Clock
    warn: Callable[[StoreUnavailable], object]


def open_store(text: str, terms: Terms) -> OpenedStore:
    """Open the store at a URL.

    Raises:
        ConfigError: It is not the URL of a store, or the store needs a library or a secret.
        StoreUnsafe: Others can write to the store's folder.
    """
    url = parse(text)
    folder = folders.of_url(url)
    opener = _ours(url) if url.scheme in _OURS else _plugged_in(url)
    if not terms.secrets and url.scheme != "file":
        raise ConfigError(
            "a store that is not a folder needs a secret, the same on all machines: "
            f"set {SECRET_VARIABLE}, or pass secret=... Make one with: dash-stash secret"
        )
    seal = Seal(terms.name, *(terms.secrets or [private_files.secret_of(folder)]))
    config = StoreConfig(
        url=url,
        name=terms.name,
        folder=folder / terms.name,
        sealing_key=seal.key("entry"),
        limits=terms.limits,
        clock=terms.clock,
        warn=terms.warn,
    )
    return OpenedStore(opener(config), seal, config.folder)


def parse(text: str) -> StoreURL:
    """Take the URL of a store apart.

    Raises:
        ConfigError: It is not a URL, or no store has its scheme.
    """
    url = urls.parse(text)
    if url.scheme not in _OURS:
        _entry_point(url)
    return url


def of_environment() -> StoreURL | None:
    """Return the URL in DASH_STASH_URL, or None if it is not set.

    Raises:
        ConfigError: It is not the URL of a store.
    """
    text = os.environ.get(urls.VARIABLE)
    return parse(text) if text else None


def _ours(url: StoreURL) -> _Opener:
    try:
        opener: _Opener = importlib.import_module(_OURS[url.scheme]).open_store
    except ModuleNotFoundError as error:
        if error.name != "redis":
            raise
        raise ConfigError(
            'a store that is not a folder needs redis-py: pip install "dash-stash[redis]"'
        ) from error
    return opener


# Other packages' stores


def _plugged_in(url: StoreURL) -> _Opener:
    """Return a function that opens another package's store; its errors name the package."""
    found = _entry_point(url)

    def opener(config: StoreConfig) -> Store:
        try:
            store = found.load()(config)
            # This may ask the store something: its clock may be a server's.
            lacks = [name for name in _PARTS if not hasattr(store, name)]
        except StashError as error:
            error.add_note(f"The store is {_described(found)}.")
            raise
        except Exception as error:
            raise ConfigError(
                f"url={url.shown!r}: the store cannot be opened, {type(error).__name__}: {error}. "
                f"It is {_described(found)}: update or repair that package."
            ) from error
        if lacks:
            raise ConfigError(
                f"url={url.shown!r}: this opened a {type(store).__qualname__}, which is not a "
                f"store: it has no {', '.join(lacks)}. It is {_described(found)}: "
                "update or repair that package."
            )
        return cast(Store, store)

    return opener


_PARTS = [name for name in vars(Store) if not name.startswith("_")]


def _entry_point(url: StoreURL) -> EntryPoint:
    """Return the entry point of a scheme that is not ours."""
    plugged_in = _entry_points()
    found = [point for point in plugged_in if point.name == url.scheme]
    if not found:
        raise ConfigError(
            f"url={url.shown!r} is not a store: no store has the scheme {url.scheme}://. There are "
            f"file:// for a folder, redis://, rediss://, valkey://, valkeys:// and unix:// for a "
            f'server (pip install "dash-stash[redis]"){_listed(plugged_in)}. Either {urls.FORMS}, '
            f"or install the package that has a store for {url.scheme}://."
        )
    if len(found) > 1:
        raise ConfigError(
            f"url={url.shown!r}: several packages have a store for {url.scheme}://: "
            f"{'; '.join(map(_described, found))}. Uninstall all but one."
        )
    return found[0]


def _entry_points() -> Sequence[EntryPoint]:
    from importlib import metadata

    return tuple(metadata.entry_points(group=GROUP))


def _listed(points: Sequence[EntryPoint]) -> str:
    return "".join(f", {point.name}:// ({_described(point)})" for point in points)


def _described(point: EntryPoint) -> str:
    package = "an unnamed package" if point.dist is None else f"the package {point.dist.name}"
    return f"{point.value} of {package}"
