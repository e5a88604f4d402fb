"""Files laid where a stash reads its secret, or SQLite a journal.

Nobody waits for them, and no other file is touched.
"""

from __future__ import annotations

import os
import pathlib
import struct

import pytest

from dash_stash import ConfigError, Stash
from support import NAME, run_python

_SECRET = "a secret for the tests only"

# In a process of its own, which can be stopped if it waits for ever; the index is opened only by
# who has not opened it yet.
_USE = """
import sys

from dash_stash import Stash, StoreUnavailable

try:
    print(Stash(url=f"file://{sys.argv[1]}", secret=sys.argv[2]).put("value", share=True).get())
except StoreUnavailable:
    print("unavailable")
"""


def _journal_of(victim: pathlib.Path) -> bytes:
    """Return a journal without changes, which says that *victim* lists the journals of its set.

    SQLite deletes such a list when none of the files in it is there.
    Source: SQLite's pager.c, readSuperJournal and pager_delsuper.
    """
    name = os.fsencode(victim)
    return (
        b"x" * 512
        + struct.pack(">I", 0)
        + name
        + struct.pack(">II", len(name), sum(name))
        + bytes.fromhex("d9d505f920a163d7")
    )


def test_a_journal_laid_beside_the_index_deletes_nobodys_file(
    folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    assert run_python(_USE, folder, _SECRET) == "value"
    victim = tmp_path / "precious"
    victim.write_text("precious")
    (folder / NAME / "index.sqlite-journal").write_bytes(_journal_of(victim))
    assert run_python(_USE, folder, _SECRET) == "value"
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("suffix", ["journal", "wal", "shm"])
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_is_laid_beside_the_index_stops_nobody(
    kind: str, suffix: str, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    assert run_python(_USE, folder, _SECRET) == "value"
    victim = tmp_path / "precious"
    victim.write_text("precious")
    _lay(kind, folder / NAME / f"index.sqlite-{suffix}", victim)
    assert run_python(_USE, folder, _SECRET) in ("value", "unavailable")
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("kind", ["pipe", "link", "link to nothing", "folder"])
def test_what_is_laid_in_the_place_of_the_secret_is_refused(
    kind: str, home: pathlib.Path, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    Stash(url=f"file://{folder}")
    (secret,) = (home / ".local" / "state" / "dash-stash").iterdir()
    elsewhere = tmp_path / "chosen by another"
    if kind == "link":
        elsewhere.write_bytes(b"k" * 32)
    secret.unlink()
    _lay(kind, secret, elsewhere)
    with pytest.raises(ConfigError, match="no secret can be kept"):
        Stash(url=f"file://{folder}")


def _lay(kind: str, place: pathlib.Path, victim: pathlib.Path) -> None:
    place.unlink(missing_ok=True)
    match kind:
        case "pipe":
            os.mkfifo(place)
        case "folder":
            place.mkdir()
        case _:
            place.symlink_to(victim)
