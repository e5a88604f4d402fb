"""What the tests over processes share: a server of their own, and a connection to cut."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from proxy import Proxy, between
from servers import Server, running


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[Server]:
    """A server that a test may stop, fill or slow down: nobody else uses it."""
    with running(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def line(server: Server) -> Iterator[Proxy]:
    """The connection of one machine to the server; what passes is counted."""
    with between(server.port) as proxy:
        yield proxy
