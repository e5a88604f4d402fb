"""Addresses: what a URL says of the server, and clients that know how long to wait for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dash_stash.errors import ConfigError

Client = redis.Redis | redis.RedisCluster

TO_CONNECT = 0.25
"""Seconds until a server that does not take the connection counts as away."""

_PLAIN = re.compile(r"[A-Za-z0-9_.:-]+")
_SCHEME = re.compile(r"(?P<name>redis|valkey)(?P<tls>s?)(\+(?P<way>sentinel|cluster))?|(?P<unix>unix)")
_PORTS = {"sentinel": 26379, "cluster": 6379, None: 6379}
_OWN_OPTIONS = ("prefix", "push", "sentinel_username", "sentinel_password")


@dataclass(frozen=True)
class Address:
    """Where the server is, and how it is spoken to."""

    shown: str
    """The URL without passwords."""

    prefix: str
    """What the names of all keys begin with."""

    push: bool
    """Whether changes are pushed, so that a hit need not ask."""

    way: str | None
    """"sentinel", "cluster", or None for one server."""

    hosts: tuple[tuple[str, int], ...] = ()
    primary: str = ""
    """What the Sentinels call the primary."""

    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Arguments of each connection to the server, as redis-py names them."""

    sentinel_settings: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def client(self, timeout: float, **settings: Any) -> Client:
        """Return a client whose calls give up after *timeout* seconds in which nothing comes or goes; it connects when used.

        A cluster is connected to now, which raises what redis-py raises.
        """
        # A connection that the server has closed since is found out by using it, so one retry; one that hangs is not tried again.
        retry = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
        common = {
            **self.settings,
            "socket_timeout": timeout,
            "socket_connect_timeout": TO_CONNECT,
            "socket_read_size": 2**20,
            "max_connections": 2**31,  # as many as threads of the app ask at the same time
            "protocol": 2,
            **settings,
        }
        if self.way == "cluster":
            nodes = [redis.cluster.ClusterNode(*host) for host in self.hosts]
            return redis.RedisCluster(startup_nodes=nodes, retry=retry, **common)
        if self.way == "sentinel":
            sentinel = redis.Sentinel(
                self.hosts,
                sentinel_kwargs={**self.sentinel_settings, "socket_timeout": timeout, "socket_connect_timeout": TO_CONNECT},
            )
            return sentinel.master_for(self.primary, retry=retry, **common)
        kind = redis.UnixDomainSocketConnection if "path" in common else redis.SSLConnection if common.pop("ssl", False) else redis.Connection
        return redis.Redis(connection_pool=redis.ConnectionPool(kind, retry=retry, **common))


def parse(url: str) -> Address:
    """Return the address that a URL names.

    redis://[[user]:password@]host[:port][/database], rediss:// with TLS, unix://[[user]:password@]/socket[?db=database],
    redis+sentinel://host[:port],.../primary[/database], redis+cluster://host[:port],...; valkey the same.

    Raises:
        ConfigError: It is no such URL, or has an option that there is not.
    """
    parts = urlsplit(url)
    scheme = _SCHEME.fullmatch(parts.scheme)
    userinfo, _, netloc = parts.netloc.rpartition("@")
    shown = parts._replace(netloc=netloc, query="").geturl()
    if scheme is None:
        raise ConfigError(f"the URL {shown!r} is not a store: write file:///an/absolute/folder, or redis://host:6379/0")
    username, _, password = userinfo.partition(":")
    settings: dict[str, Any] = {
        name: unquote(value) for name, value in (("username", username), ("password", password)) if value
    }
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    own = {name: options.pop(name, "") for name in _OWN_OPTIONS}
    way = scheme["way"]
    path = [unquote(part) for part in parts.path.strip("/").split("/") if part]
    try:
        hosts = () if scheme["unix"] else tuple(_host(part, _PORTS[way]) for part in netloc.split(","))
        if scheme["unix"]:
            settings |= {"path": unquote(parts.path), "db": int(options.pop("db", "0"))}
        else:
            primary = path.pop(0) if way == "sentinel" else ""
            database = int(path.pop(0)) if path else int(options.pop("db", "0"))
            if way == "cluster" and database:
                raise ValueError("a cluster has no database but 0")
            settings |= {} if way == "cluster" else {"db": database}
            settings |= {"ssl": True} if scheme["tls"] else {}
            if path or (way is None and len(hosts) > 1):
                raise ValueError("it names more than a server and a database")
    except (ValueError, IndexError) as error:
        raise ConfigError(f"the URL {shown!r} cannot be used: {error}") from error
    unknown = [name for name in options if not (name.startswith("ssl_") and scheme["tls"])]
    if unknown:
        known = ", ".join((*_OWN_OPTIONS, "db", "ssl_... with rediss://, as redis-py has them"))
        raise ConfigError(f"the URL {shown!r} has no option {', '.join(unknown)}; there are {known}")
    if own["prefix"] and not _PLAIN.fullmatch(own["prefix"]):
        raise ConfigError(f"prefix={own['prefix']!r} must be of letters, digits and _ . : -")
    if own["push"] not in ("", "0", "1"):
        raise ConfigError(f"push={own['push']!r} must be 1 or 0")
    settings |= {name: {"true": True, "false": False}.get(value.lower(), value) for name, value in options.items()}
    if way is None and hosts:
        settings["host"], settings["port"] = hosts[0]
    tls = {name: value for name, value in settings.items() if name.startswith("ssl")}
    sentinel = {name: own[f"sentinel_{name}"] for name in ("username", "password") if own[f"sentinel_{name}"]}
    return Address(
        shown,
        own["prefix"] or "dash-stash",
        own["push"] == "1",
        way,
        hosts,
        primary if way == "sentinel" else "",
        settings,
        tls | sentinel,
    )


def _host(text: str, port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    return parts.hostname or "localhost", parts.port or port
