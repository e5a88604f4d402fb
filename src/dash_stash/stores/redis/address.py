"""Addresses: what a URL says of the server, and clients that know how long to wait for it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.retry import Retry

from dash_stash import folders
from dash_stash.errors import ConfigError

_TO_CONNECT = 0.25
"""Seconds until a server that does not take the connection counts as away."""

_SCHEME = re.compile(r"(?:redis|valkey)(?P<tls>s?)(?:\+(?P<way>sentinel|cluster))?|unix")
_PREFIX = re.compile(r"[A-Za-z0-9_.:-]+")
_PORTS = {"sentinel": 26379, "cluster": 6379, None: 6379}
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
        """Return the address of the app of that name on the same server: its keys begin with the name too, if there is one."""
        return dataclasses.replace(self, prefix=f"{self.prefix}:{name}") if name else self

    def client(self, timeout: float, *, protocol: int = 2) -> Any:
        """Return a client whose calls give up after *timeout* seconds in which nothing comes or goes; it connects when used.

        A cluster is connected to now, which raises what redis-py raises.
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


def parse(url: str) -> Address:
    """Return the address that a URL names.

    redis://[[user]:password@]host[:port][/database], rediss:// with TLS,
    unix://[[user]:password@]/socket[?db=database],
    redis+sentinel://host[:port],.../primary[/database], redis+cluster://host[:port],...; valkey the
    same.

    Raises:
        ConfigError: It is no such URL, or has an option that there is not.
    """
    parts, shown = folders.split_url(url), folders.shown(url)
    userinfo, _, netloc = parts.netloc.rpartition("@")
    scheme = _SCHEME.fullmatch(parts.scheme)
    if scheme is None:
        raise ConfigError(
            f"url={shown!r} is not a store: write file:///an/absolute/folder, or redis://host:6379/0"
        )
    way, tls = scheme["way"], bool(scheme["tls"])
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    _check(shown, options, tls=tls)
    try:
        hosts = (
            ()
            if parts.scheme == "unix"
            else tuple(_host(one, _PORTS[way]) for one in netloc.split(","))
        )
        primary, place = _place(parts, options, way)
    except ValueError as error:
        raise ConfigError(
            f"url={shown!r} cannot be used: {error}"
        ) from None  # what it was made of may be a password
    if way == "cluster" and options.get("push") == "1":
        raise ConfigError(
            f"url={shown!r}: push=1 is for one primary, whose messages can be heard on one connection, not for a cluster"
        )
    if way is None and len(hosts) > 1:
        raise ConfigError(
            f"url={shown!r} names several servers: write redis+sentinel:// or redis+cluster://"
        )
    encryption = {
        name: _TRUTHS.get(value.lower(), value)
        for name, value in options.items()
        if name.startswith("ssl_")
    }
    encryption |= {"ssl": True} if tls else {}
    username, _, password = userinfo.partition(":")
    login = {
        name: unquote(value)
        for name, value in (("username", username), ("password", password))
        if value
    }
    if way is None and hosts:
        place["host"], place["port"] = hosts[0]
    return Address(
        shown=shown,
        prefix=options.get("prefix", "dash-stash"),
        push=options.get("push") == "1",
        way=way,
        hosts=hosts,
        primary=primary,
        settings=place | login | encryption,
        sentinel_settings=encryption
        | {
            name.removeprefix("sentinel_"): options[name]
            for name in options
            if name.startswith("sentinel_")
        },
    )


def _check(shown: str, options: Mapping[str, str], *, tls: bool) -> None:
    unknown = [
        name for name in options if name not in _OPTIONS and not (tls and name.startswith("ssl_"))
    ]
    if unknown:
        known = ", ".join((*_OPTIONS, "with rediss:// also ssl_..., as redis-py has them"))
        names = (
            "of that name" if "@" in f"{options}" else ", ".join(unknown)
        )  # it may be half of a password
        raise ConfigError(f"url={shown!r}: there is no option {names}; there are {known}")
    if not _PREFIX.fullmatch(options.get("prefix", "a")):
        raise ConfigError(
            f"url={shown!r}: prefix={options['prefix']!r} must be of letters, digits and _ . : -"
        )
    if options.get("push", "0") not in ("0", "1"):
        raise ConfigError(f"url={shown!r}: push={options['push']!r} must be 1 or 0")


def _host(text: str, port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    try:
        return parts.hostname or "localhost", parts.port or port
    except ValueError:
        raise ValueError(
            "a port is a number up to 65535 (in a password, write %3F for ?)"
        ) from None


def _place(
    parts: SplitResult, options: Mapping[str, str], way: str | None
) -> tuple[str, dict[str, Any]]:
    """The name of the primary, and where the connections lead: the database, or the socket."""
    if parts.scheme == "unix":
        return "", {"path": unquote(parts.path), "db": _database(options.get("db", ""))}
    first, _, rest = unquote(parts.path).strip("/").partition("/")
    if way == "sentinel" and not first:
        raise ValueError(
            "it does not say what the Sentinels call the primary: redis+sentinel://host:26379/primary/0"
        )
    database = _database((rest if way == "sentinel" else first) or options.get("db", ""))
    if way == "cluster" and database:
        raise ValueError("a cluster has no database but 0")
    return first if way == "sentinel" else "", {} if way == "cluster" else {"db": database}


def _database(text: str) -> int:
    if not text.isdecimal() and text:
        raise ValueError("the database is a number, as in redis://host:6379/0")
    return int(text or 0)
