"""Addresses: what a URL says of the server, and clients that know how long to wait for it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.retry import Retry

from dash_stash import urls
from dash_stash.errors import ConfigError
from dash_stash.urls import StoreURL

_TO_CONNECT = 0.25
"""Seconds until a server that does not take the connection counts as away."""

_SCHEME = re.compile(r"(?:redis|valkey)(?P<tls>s?)|(?P<socket>unix)")
_PREFIX = re.compile(r"[A-Za-z0-9_.:-]+")
_PORTS = {"sentinel": 26379, "cluster": 6379, "": 6379}
_OPTIONS = ("prefix", "push", "db", "sentinel_username", "sentinel_password")
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True)
class Address:
    """Where the server is, and how it is spoken to."""

    shown: str
    """The URL without passwords and options."""

    prefix: str
    """What the names of all keys begin with."""

    push: bool
    """Whether changes are pushed, so that a hit need not ask."""

    way: str | None
    """How to get to it: "sentinel", "cluster", or None for one server."""

    hosts: tuple[tuple[str, int], ...]
    primary: str
    """What the Sentinels call the primary."""

    settings: Mapping[str, Any] = field(repr=False)
    """Arguments of each connection to the server, as redis-py names them."""

    sentinel_settings: Mapping[str, Any] = field(repr=False)

    def of(self, name: str) -> Address:
        """Return the address of the app of that name: the names of its keys begin with it."""
        return dataclasses.replace(self, prefix=f"{self.prefix}:{name}") if name else self

    def client(self, timeout: float, *, protocol: int = 2) -> Any:
        """Return a client whose calls give up after *timeout* seconds without an answer.

        It connects when it is used. To a cluster it connects now, which raises redis-py's errors.
        """
        # A connection that the server has closed since is found out by using it, so one retry; one
        # that hangs is not tried again.
        retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        times = {"socket_timeout": timeout, "socket_connect_timeout": _TO_CONNECT}
        settings = {
            **self.settings,
            **times,
            "protocol": protocol,
            "socket_read_size": 2**20,  # values come twice as fast as by the default, 64 KiB
            "max_connections": 2**31,  # as many as threads of the app ask at the same time
        }
        if self.way == "cluster":
            return redis.RedisCluster(
                startup_nodes=[ClusterNode(*host) for host in self.hosts], retry=retry, **settings
            )
        if self.way == "sentinel":
            sentinel = redis.Sentinel(
                self.hosts, sentinel_kwargs={**self.sentinel_settings, **times}
            )
            return sentinel.master_for(self.primary, retry=retry, **settings)
        tls = settings.pop("ssl", False)
        kind = (
            redis.UnixDomainSocketConnection
            if "path" in settings
            else redis.SSLConnection
            if tls
            else redis.Connection
        )
        return redis.Redis(connection_pool=redis.ConnectionPool(kind, retry=retry, **settings))


def parse(text: str) -> Address:
    """Return the address of a server from its URL.

    redis://[[user]:password@]host[:port][/database], rediss:// with TLS,
    unix://[[user]:password@]/socket[?db=database],
    redis+sentinel://host[:port],.../primary[/database], redis+cluster://host[:port],...; valkey the
    same.

    Raises:
        ConfigError: It is not such a URL, or it has an unknown option.
    """
    url = urls.parse(text)
    scheme = _SCHEME.fullmatch(url.scheme)
    if scheme is None or url.way not in _PORTS or (url.way and scheme["socket"]):
        raise ConfigError(f"url={url.shown!r} is not a store: {urls.FORMS}")
    tls = bool(scheme["tls"])
    _check(url, tls=tls)
    try:
        hosts = () if scheme["socket"] else _hosts(url)
        primary, place = _place(url)
    except ValueError as error:
        # The text that caused it may be part of a password.
        raise ConfigError(f"url={url.shown!r} cannot be used: {error}") from None
    if not url.way and len(hosts) > 1:
        raise ConfigError(
            f"url={url.shown!r} names several servers: write redis+sentinel:// or redis+cluster://"
        )
    if not url.way and hosts:
        place["host"], place["port"] = hosts[0]
    encryption = _encryption(url, tls=tls)
    return Address(
        shown=url.shown,
        prefix=url.options.get("prefix", "dash-stash"),
        push=url.options.get("push") == "1",
        way=url.way or None,
        hosts=hosts,
        primary=primary,
        settings=place | _login(url) | encryption,
        sentinel_settings=encryption | _options(url, "sentinel_"),
    )


def _encryption(url: StoreURL, *, tls: bool) -> dict[str, Any]:
    given = {f"ssl_{name}": text for name, text in _options(url, "ssl_").items()}
    options = {name: _TRUTHS.get(text.lower(), text) for name, text in given.items()}
    return options | ({"ssl": True} if tls else {})


def _login(url: StoreURL) -> dict[str, str]:
    name, _, password = url.user.partition(":")
    login = {"username": unquote(name), "password": unquote(password)}
    return {name: text for name, text in login.items() if text}


def _options(url: StoreURL, prefix: str) -> dict[str, str]:
    """Return the options whose names begin with *prefix*; the names are without it."""
    return {
        name.removeprefix(prefix): text
        for name, text in url.options.items()
        if name.startswith(prefix)
    }


def _check(url: StoreURL, *, tls: bool) -> None:
    """Check the options of the URL."""
    of_tls = (name for name in url.options if tls and name.startswith("ssl_"))
    hint = ", and with rediss:// also redis-py's ssl_..."
    url.check_options(*_OPTIONS, *of_tls, hint=hint)
    shown, options = url.shown, url.options
    if not _PREFIX.fullmatch(options.get("prefix", "a")):
        raise ConfigError(
            f"url={shown!r}: prefix={options['prefix']!r} must be letters, digits and _ . : -"
        )
    if options.get("push", "0") not in ("0", "1"):
        raise ConfigError(f"url={shown!r}: push={options['push']!r} must be 1 or 0")
    if url.way == "cluster" and options.get("push") == "1":
        raise ConfigError(
            f"url={shown!r}: push=1 does not work with a cluster: it needs one primary, which "
            "sends its messages on one connection"
        )


def _hosts(url: StoreURL) -> tuple[tuple[str, int], ...]:
    return tuple(_host(one, _PORTS[url.way]) for one in url.hosts.split(","))


def _host(text: str, port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    try:
        return parts.hostname or "localhost", parts.port or port
    except ValueError:
        raise ValueError(
            "a port is a number up to 65535 (in a password, write %3F for ?)"
        ) from None


def _place(url: StoreURL) -> tuple[str, dict[str, Any]]:
    """Return the name of the primary, and the database or socket of the connections."""
    option = url.options.get("db", "")
    if url.scheme == "unix":
        return "", {"path": str(url.file_path), "db": _database(option)}
    first, _, rest = unquote(url.path).strip("/").partition("/")
    if url.way != "sentinel":
        database = _database(first or option)
        if url.way == "cluster" and database:
            raise ValueError("a cluster has only the database 0")
        return "", {} if url.way == "cluster" else {"db": database}
    if not first:
        raise ValueError(
            "the primary's name is missing, as the Sentinels know it: "
            "write redis+sentinel://host:26379/primary/0"
        )
    return first, {"db": _database(rest or option)}


def _database(text: str) -> int:
    if not text.isdecimal() and text:
        raise ValueError("the database is a number, as in redis://host:6379/0")
    return int(text or 0)
