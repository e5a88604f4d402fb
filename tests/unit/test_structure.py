"""Who writes to the store without the secret makes a miss or another value.

Never a crash, and no memory outside of the value is read.
"""

from __future__ import annotations

import importlib
import json
import pathlib
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import redis
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from dash_stash import Stash, entries, structure
from dash_stash.codec import encode, own
from processes.running import ask, start
from servers import Server
from support import NAME, SECRET
from unit import tampering, values
from unit.tampering import VALUES


@pytest.fixture(scope="module")
def ask_victim() -> Iterator[Callable[[str, list[Any]], str]]:
    """Ask a process to load a tampered value, and return what it answers.

    It is started again if it has crashed.
    """
    from support import _started

    victims: list[Any] = []

    def ask_one(name: str, changes: list[Any]) -> str:
        if not victims or victims[-1].poll() is not None:
            victims.append(start(tampering.load_tampered))
            _started.remove(victims[-1])  # it outlives a test
        return ask(victims[-1], json.dumps([name, changes]))

    yield ask_one
    for victim in victims:
        victim.kill()
        victim.communicate()


numbers = (
    st.integers(-(2**63), 2**63 - 1)
    | st.integers(-200, 200)
    | st.sampled_from([2**31 - 1, 60_000_000, 2**40, -(2**30)])
)
changes = st.lists(
    st.tuples(st.integers(0, 9), st.floats(0, 1), st.sampled_from("bhiq"), numbers),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("name", VALUES)
def test_a_tampered_value_is_a_miss_or_a_value_and_nothing_of_other_memory(
    name: str, ask_victim: Callable[[str, list[Any]], str]
) -> None:
    @given(changes)
    @settings(max_examples=40)
    def check(tampered: list[Any]) -> None:
        assert ask_victim(name, tampered) in {"a miss", "a value"}

    check()


@pytest.mark.parametrize("name", VALUES)
def test_what_nobody_has_tampered_with_is_sound(name: str) -> None:
    encoded = encode(VALUES[name]())
    assert any(segment.buffers for segment in encoded.segments)
    assert structure.is_sound(encoded)


_NESTED: dict[str, Callable[[Any], Any]] = {
    "alone": lambda word: word,
    "in lists": lambda word: [word],
    "in structs": lambda word: {"a": word},
}


@pytest.mark.parametrize("nested", _NESTED.values(), ids=_NESTED)
def test_polars_is_given_no_view_of_a_null_that_leads_elsewhere(
    nested: Callable[[Any], Any],
) -> None:
    encoded = own(encode(pl.DataFrame({"column": [nested(word) for word in tampering.WORDS]})))
    assert structure.is_sound(encoded)
    (views,) = [buffer for buffer in encoded.segments[0].buffers if len(buffer) == 16 * tampering.N]
    assert isinstance(views, bytearray)
    assert not any(views[:16]), "that of a null"
    views[:4] = b"\xff" * 4
    assert not structure.is_sound(encoded)


# From the folder and from the server

_NAMES = [f"customer number {i:010d}" for i in range(2_000)]
TEXTS: dict[str, Callable[[], Any]] = {
    "pandas": lambda: pd.DataFrame({"name": _NAMES}, dtype=values.TEXT),
    "polars": lambda: pl.DataFrame({"name": _NAMES}),
    "codes": lambda: pd.DataFrame({"code": pd.Categorical(["a", "b", "c"] * 1_500)}),
}
_LONG = struct.pack("<q", 60_000_000)


def computing(url: str, kind: str) -> tuple[Stash, Any, list[int]]:
    stash, computed = Stash(url=url, secret=SECRET), []

    @stash.memo
    def frame(kind: str) -> Any:
        computed.append(1)
        return TEXTS[kind]()

    return stash, frame, computed


def _tamper_with_file(folder: pathlib.Path) -> None:
    (path,) = [
        path
        for path in (folder / NAME / "entries").rglob("*")
        if path.is_file() and path.stat().st_size > 4_000
    ]
    content = bytearray(path.read_bytes())
    head = entries.head_size(bytes(content))
    first = head + -head % 64
    content[first : first + 8] = _LONG
    content[8:24] = xxhash.xxh3_128(bytes(content[24:])).digest()
    path.chmod(0o600)
    path.write_bytes(content)


def _tamper_with_server(server: Server) -> None:
    client: redis.Redis = server.client()
    (manifest,) = client.keys(f"dash-stash:{NAME}:v:*:m")
    (piece,) = [name for name in client.keys(f"dash-stash:{NAME}:v:*") if name.endswith(b":1")]
    content, checksums = bytearray(client.get(piece) or b""), bytearray(client.get(manifest) or b"")
    content[:8] = _LONG
    checksums[8:16] = xxhash.xxh3_64(bytes(content)).digest()
    client.set(piece, bytes(content))
    client.set(manifest, bytes(checksums))


@pytest.mark.parametrize("kind", TEXTS)
def test_offsets_views_and_codes_tampered_with_in_the_folder_are_a_miss(
    kind: str, folder: pathlib.Path
) -> None:
    computing(f"file://{folder}", kind)[1](kind)
    _tamper_with_file(folder)
    _, frame, computed = computing(f"file://{folder}", kind)
    assert frame(kind).equals(TEXTS[kind]())
    assert computed


@pytest.mark.parametrize("kind", TEXTS)
def test_offsets_views_and_codes_tampered_with_on_the_server_are_a_miss(
    kind: str, server: Server, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.ask("FLUSHALL")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "one"))
    computing(server.url, kind)[1](kind)
    _tamper_with_server(server)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    _, frame, computed = computing(server.url, kind)
    assert frame(kind).equals(TEXTS[kind]())
    assert computed


# Other libraries

_LIBRARY = """
class Matrix:
    def __init__(self, columns):
        self.columns = columns
"""


def test_the_arrays_of_other_libraries_types_are_sealed(
    url: str,
    server: Server,
    folder: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = tmp_path / "site-packages"
    library.mkdir()
    (library / "some_matrices.py").write_text(_LIBRARY)
    monkeypatch.syspath_prepend(library)
    some_matrices = importlib.import_module("some_matrices")
    encoded = encode(
        {"matrix": some_matrices.Matrix(np.arange(3_000)), "numbers": np.arange(3_000)}
    )
    assert [bool(segment.digest) for segment in encoded.segments] == [True, False]
    Stash(url=url, secret=SECRET).app["matrix"] = some_matrices.Matrix(np.arange(3_000))
    if url.startswith("file"):
        _tamper_with_file(folder)
    else:
        _tamper_with_server(server)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    assert "matrix" not in Stash(url=url, secret=SECRET).app
