"""What URLs of servers say, and that they say it without their passwords."""

from __future__ import annotations

import pytest

from dash_stash import ConfigError, Stash
from dash_stash.stores.redis import address
from support import SECRET


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://cache", {"host": "cache", "port": 6379, "db": 0}),
        ("valkey://cache:7000/3", {"host": "cache", "port": 7000, "db": 3}),
        ("redis://cache?db=4", {"host": "cache", "port": 6379, "db": 4}),
        ("redis://[::1]:7000", {"host": "::1", "port": 7000, "db": 0}),
        ("redis://:p%40ss@cache", {"host": "cache", "port": 6379, "db": 0, "password": "p@ss"}),
        ("redis://user:p%3Ass@cache", {"host": "cache", "port": 6379, "db": 0, "username": "user", "password": "p:ss"}),
        ("rediss://cache?ssl_cert_reqs=none", {"host": "cache", "port": 6379, "db": 0, "ssl": True, "ssl_cert_reqs": "none"}),
        ("valkeys://cache?ssl_check_hostname=False", {"host": "cache", "port": 6379, "db": 0, "ssl": True, "ssl_check_hostname": False}),
        ("unix:///run/redis.sock?db=2", {"path": "/run/redis.sock", "db": 2}),
        ("unix://:secret@/run/redis.sock", {"path": "/run/redis.sock", "db": 0, "password": "secret"}),
        ("redis+sentinel://a,b:7000/primary/2", {"db": 2}),
        ("redis+cluster://a,b:7000", {}),
    ],
)
def test_a_url_says_where_to_connect(url: str, expected: dict[str, object]) -> None:
    assert address.parse(url).settings == expected


def test_a_url_names_several_servers() -> None:
    sentinels = address.parse("redis+sentinel://user:pass@a,b:7000/the-primary?sentinel_password=other")
    assert sentinels.hosts == (("a", 26379), ("b", 7000))
    assert (sentinels.way, sentinels.primary) == ("sentinel", "the-primary")
    assert sentinels.settings == {"db": 0, "username": "user", "password": "pass"}
    assert sentinels.sentinel_settings == {"password": "other"}
    cluster = address.parse("rediss+cluster://a,b:7000?prefix=app:1")
    assert cluster.hosts == (("a", 6379), ("b", 7000))
    assert (cluster.way, cluster.push, cluster.prefix, cluster.settings["ssl"]) == ("cluster", False, "app:1", True)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://cache/x", "number"),
        ("redis://cache:port", "cannot be used"),
        ("redis://cache:99999", "cannot be used"),
        ("redis://a,b", "sentinel"),
        ("redis+sentinel://a", "primary"),
        ("redis+cluster://a/1", "no database but 0"),
        ("redis+cluster://a?push=1", "push=1 is for one primary"),
        ("redis+other://a", "not a store"),
        ("redis://cache?ssl_ca_certs=/a.pem", "rediss"),
        ("redis://cache?socket_timeout=5", "there is no option socket_timeout"),
        ("redis://cache?prefix=a{b", "prefix"),
        ("redis://cache?push=yes", "push"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str, says: str) -> None:
    scheme, _, rest = url.partition("://")
    with pytest.raises(ConfigError, match=says) as refused:
        Stash(url=f"{scheme}://:hidden@{rest}", secret=SECRET)
    assert "hidden" not in str(refused.value)


def test_an_address_is_shown_without_passwords() -> None:
    parsed = address.parse("redis+sentinel://user:hidden@a/primary/0?sentinel_password=hidden")
    assert "hidden" not in repr(parsed)
    assert parsed.shown == "redis+sentinel://a/primary/0"
