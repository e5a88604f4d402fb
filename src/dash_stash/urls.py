"""URLs of stores: their grammar, and how to show them without secrets.

    scheme[+way]://[[user]:password@]host[:port],.../path[?option=value&...]

The scheme says which store it is (`stores.registry`), the way says how it is reached. In a name, a
password or a path, write characters such as @ and / as %40 and %2F.
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
    """A store's URL, taken apart; its `repr` shows no secrets."""

    text: str = field(repr=False)
    """The whole URL, as the user wrote it."""

    shown: str
    """The URL without passwords and options, for messages."""

    scheme: str
    """The part before a `+`, in small letters: "redis" in "redis+cluster://"."""

    way: str
    """The part after the `+`: "cluster"; empty if there is no `+`."""

    user: str = field(repr=False)
    """Name and password, with a colon between them; still quoted, as they may contain colons."""

    hosts: str
    path: str
    options: Mapping[str, str] = field(repr=False)
    """The last value of each option."""

    @property
    def file_path(self) -> pathlib.Path:
        """The path as a path on this machine."""
        return pathlib.Path(unquote(self.path))

    def check_options(self, *known: str, hint: str = "") -> None:
        """Check that the URL has only *known* options.

        Args:
            known: The names of the options.
            hint: Text that the error adds after the names.

        Raises:
            ConfigError: The URL has another option.
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
    """Take a URL apart.

    Raises:
        ConfigError: It is not a URL, or it is a `file:` URL that names no folder of this machine.
    """
    parts = _split(text)
    scheme, _, way = parts.scheme.partition("+")
    user, _, hosts = parts.netloc.rpartition("@")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    url = StoreURL(text, _shown(text), scheme, way, user, hosts, parts.path, options)
    if _OF_WINDOWS.match(text):
        raise ConfigError(
            f"url={text!r} is a Windows folder, but this system is {sys.platform}: {FORMS}"
        )
    if text and not parts.scheme and "@" not in text:  # else perhaps with a password
        raise ConfigError(
            f"url={text!r} is a path, but must be a URL: "
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
    """Return a URL without passwords and options, even if the URL is malformed."""
    scheme, separator, rest = text.partition("://") if "://" in text else ("", "", text)
    place = re.split("[?#]", rest, maxsplit=1)[0]
    if scheme.lower() == "file" and place.partition("/")[0] in ("", "localhost"):
        return f"{scheme}://{place}"
    if "@" in rest[len(place) :]:
        return f"{scheme}{separator}..."  # a password may contain a question mark
    return f"{scheme}{separator}{place.rpartition('@')[2]}"
