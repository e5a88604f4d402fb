"""URLs of stores: one grammar for all of them, and what of them may be shown.

    scheme[+way]://[[user]:password@]host[:port],.../path[?option=value&...]

The scheme says whose the store is (`stores.registry`), the way how it is reached. In a name, a
password or a path, letters such as @ and / are written as %40 and %2F.
"""

from __future__ import annotations

import pathlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from dash_stash.errors import ConfigError

VARIABLE = "DASH_STASH_URL"

FORMS = 'write "file:///an/absolute/folder", or "redis://host:6379/0"'

_OF_WINDOWS = re.compile(r"(file:/*)?[A-Za-z]:[\\/]")


@dataclass(frozen=True, slots=True)
class StoreURL:
    """A store's URL in its parts, and without what is secret in `repr`."""

    text: str = field(repr=False)
    """All of it, as it was written."""

    shown: str
    """It without passwords and options: for messages."""

    scheme: str
    """In small letters, up to a `+`: "redis" of "redis+cluster://"."""

    way: str
    """What follows the `+`: "cluster", or nothing."""

    user: str = field(repr=False)
    """Name and password, with a colon between them; unquoted, as they may have colons."""

    hosts: str
    path: str
    options: Mapping[str, str] = field(repr=False)
    """The last value of each."""

    @property
    def file_path(self) -> pathlib.Path:
        """The path as one of this machine."""
        return pathlib.Path(unquote(self.path))

    def check_options(self, *known: str, hint: str = "") -> None:
        """See that there are no options but the *known* ones.

        Args:
            known: Their names.
            hint: What the error says after them.

        Raises:
            ConfigError: There is another one.
        """
        unknown = sorted(self.options.keys() - {*known})
        if unknown:
            # What has an @ may be half of a password.
            names = "of that name" if "@" in f"{self.options}" else ", ".join(unknown)
            raise ConfigError(
                f"url={self.shown!r}: there is no option {names}. "
                f"The options are: {', '.join(known)}{hint}"
            )


def parse(text: str) -> StoreURL:
    """Return the parts of a URL.

    Raises:
        ConfigError: It is no URL, or a `file:` URL that names no folder of this machine.
    """
    parts = _split(text)
    scheme, _, way = parts.scheme.partition("+")
    user, _, hosts = parts.netloc.rpartition("@")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    url = StoreURL(text, _shown(text), scheme, way, user, hosts, parts.path, options)
    if _OF_WINDOWS.match(text):
        raise ConfigError(
            f"url={text!r} names a folder of Windows, and this is {sys.platform}: {FORMS}"
        )
    if text and not parts.scheme and "@" not in text:  # else perhaps with a password
        raise ConfigError(
            f"url={text!r} is a path, and should be a URL: "
            f"write {pathlib.Path(text).expanduser().absolute().as_uri()!r}"
        )
    if parts.scheme == "file":
        _check_folder(url)
    elif "://" not in text:
        raise ConfigError(f"url={url.shown!r} is not a store: {FORMS}")
    return url


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = None
    if parts is not None and (parts.scheme == "file" or "@" not in parts.path + parts.fragment):
        return parts
    letters = "%2F for /, %3F for ?, %23 for #, %40 for @, %5B for ["
    raise ConfigError(
        f"url={_shown(text)!r} cannot be read. In a name, a password or a path, write {letters}"
    )


def _check_folder(url: StoreURL) -> None:
    is_here = not url.user and url.hosts in ("", "localhost") and not url.way
    if not is_here or not url.file_path.is_absolute():
        raise ConfigError(f"url={url.shown!r} is not a store: {FORMS}")
    url.check_options("network")


def _shown(text: str) -> str:
    """A URL without passwords and options, also if it is written wrongly."""
    scheme, separator, rest = text.partition("://") if "://" in text else ("", "", text)
    place = re.split("[?#]", rest, maxsplit=1)[0]
    if scheme.lower() == "file" and place.partition("/")[0] in ("", "localhost"):
        return f"{scheme}://{place}"
    if "@" in rest[len(place) :]:
        return f"{scheme}{separator}..."  # perhaps of a password that has a question mark
    return f"{scheme}{separator}{place.rpartition('@')[2]}"
