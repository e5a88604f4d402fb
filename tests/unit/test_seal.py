"""Seals: which secrets there may be, and that what was sealed before still opens."""

from __future__ import annotations

import pytest

from dash_stash import ConfigError, seal
from dash_stash.seal import Seal


def test_a_secret_has_16_bytes_at_least_and_the_error_says_how_many_it_has() -> None:
    assert len(Seal("app", b"x" * 16).key("entries")) == 32
    with pytest.raises(ConfigError, match=r"15 bytes, but needs at least 16.*dash-stash secret"):
        Seal("app", b"x" * 32, b"x" * 15)
    with pytest.raises(ConfigError, match="0 bytes"):
        Seal("app")


def test_what_was_sealed_by_an_earlier_version_opens() -> None:
    """A change of this costs every value, session and reference of whoever upgrades."""
    first, second = Seal("app", b"x" * 16, b"y" * 16), Seal("app", b"y" * 16)
    key = first.key("entries")
    made = seal.make(key, b"some ", memoryview(b"content"))
    assert made.hex() == ("fb1beb02e2598349dd03e51c0cb194f3b76c95d36c9b602ff2c2050e620c34a3")
    assert seal.make(key, b"some content", size=8).hex() == "695145002add0da7"
    assert seal.matches(made, key, b"some content")
    assert seal.matches(seal.make(second.key("entries"), b"content"), key, b"content")
    for other in (Seal("another app", b"x" * 16).key("entries"), first.key("references")):
        assert not seal.matches(made, other, b"some content")
    assert not seal.matches(made, key, b"other content")
