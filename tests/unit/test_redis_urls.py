"""What URLs of servers say, and that they say it without their passwords."""

from __future__ import annotations

import traceback

import pytest

from dash_stash import ConfigError, Stash, StoreUnavailable, folders
from dash_stash.stores import registry
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
        (
            "redis://user:p%3Ass@cache",
            {"host": "cache", "port": 6379, "db": 0, "username": "user", "password": "p:ss"},
        ),
        (
            "rediss://cache?ssl_cert_reqs=none",
            {"host": "cache", "port": 6379, "db": 0, "ssl": True, "ssl_cert_reqs": "none"},
        ),
        (
            "valkeys://cache?ssl_check_hostname=False",
            {"host": "cache", "port": 6379, "db": 0, "ssl": True, "ssl_check_hostname": False},
        ),
        ("unix:///run/redis.sock?db=2", {"path": "/run/redis.sock", "db": 2}),
        (
            "unix://:secret@/run/redis.sock",
            {"path": "/run/redis.sock", "db": 0, "password": "secret"},
        ),
        ("redis+sentinel://a,b:7000/primary/2", {"db": 2}),
        ("redis+cluster://a,b:7000", {}),
    ],
)
def test_a_url_says_where_to_connect(url: str, expected: dict[str, object]) -> None:
    assert address.parse(url).settings == expected


def test_a_url_names_several_servers() -> None:
    sentinels = address.parse(
        "redis+sentinel://user:pass@a,b:7000/the-primary?sentinel_password=other"
    )
    assert sentinels.hosts == (("a", 26379), ("b", 7000))
    assert (sentinels.way, sentinels.primary) == ("sentinel", "the-primary")
    assert sentinels.settings == {"db": 0, "username": "user", "password": "pass"}
    assert sentinels.sentinel_settings == {"password": "other"}
    cluster = address.parse("rediss+cluster://a,b:7000?prefix=app:1")
    assert cluster.hosts == (("a", 6379), ("b", 7000))
    assert (cluster.way, cluster.push, cluster.prefix, cluster.settings["ssl"]) == (
        "cluster",
        False,
        "app:1",
        True,
    )


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://cache/x", "number"),
        ("redis://cache:port", "cannot be used"),
        ("redis://cache:99999", "cannot be used"),
        ("redis://a,b", "sentinel"),
        ("redis+sentinel://a", "primary"),
        ("redis+cluster://a/1", "only the database 0"),
        ("redis+cluster://a?push=1", "push=1 does not work with a cluster"),
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


_HIDDEN = (
    "hid/den",
    "hid?den",
    "hid#den",
    "hid@den",
    "hid[den",
    "hid:den",
    "hid%zzden",
    "hid den",
    "hiddén",
    "hid\\den",
    "hid]den",
)
_MISTAKES = (
    "REDIS://:{}@cache",
    "Redis://user:{}@cache/0",
    "rediss://u:{}@cache:99999",
    "redis://:{}@cache:port/x",
    "unix://:{}@/run/x",
    "UNIX://:{}@/run/x",
    "redis+cluster://u:{}@a,b/1",
    "redis+sentinel://:{}@a/primary?sentinel_password={}",
    "redis://cache?password={}",
    "redis://cache?sentinel_password={}@x",
    "redis://cache#{}@x",
    "redis:/u:{}@cache",
    "redis:u:{}@cache",
    "u:{}@cache:6379",
    "//u:{}@cache",
    "http://u:{}@cache",
    "file://u:{}@cache/x",
    "FILE://u:{}@cache/x",
    " redis://:{}@cache",
    "redis+other://:{}@cache",
    "redis://:{}@cache?push=yes",
    "redis://:{}@[::1",
)


@pytest.mark.parametrize("mistake", _MISTAKES)
@pytest.mark.parametrize("hidden", _HIDDEN)
def test_no_mistake_in_a_url_shows_a_password(
    hidden: str, mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = mistake.replace("{}", hidden)
    monkeypatch.setenv("DASH_STASH_URL", url)
    for use in (
        lambda: Stash(url=url, secret=SECRET),
        lambda: folders.of_app(None, None, registry.of_environment()),
        lambda: address.parse(url),
    ):
        try:
            told = repr(use())
        except ConfigError:
            told = traceback.format_exc()
        assert "hid" not in told
        assert "den" not in told


@pytest.mark.parametrize("url", ["REDIS://:hidden@127.0.0.1:1", "redis://:hid%2Fden@127.0.0.1:1"])
def test_a_server_that_is_away_is_named_without_its_password(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    stash = Stash(url=url, secret=SECRET)
    assert stash.memo(lambda: 1)() == 1
    with pytest.raises(StoreUnavailable) as refused:
        stash.put(1, share=True)
    assert "hid" not in f"{refused.value!r} {refused.value} {caplog.text} {stash!r}"
    assert "127.0.0.1:1" in str(refused.value)
