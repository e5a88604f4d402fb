"""What the dead leave goes away, and what the living use stays."""

from __future__ import annotations

import pathlib

import pytest

from dash_stash.codec import encode
from dash_stash.entries import Facts
from dash_stash.keys import KEY_SIZE
from dash_stash.stores.base import Landed
from dash_stash.stores.local import LocalStore
from dash_stash.stores.local.locks import LockFile
from dash_stash.stores.local.store import LocalFlight
from processes.apps import jobs
from processes.running import result, start

KEY = bytes(KEY_SIZE)
KNOWN = {"commits", "entries", "flights", "opening", "owner", "slots", "sweep", "temporary"}


def test_processes_killed_at_their_first_use_of_a_folder_leave_no_litter(
    tmp_path: pathlib.Path, home: pathlib.Path
) -> None:
    names = result(start(jobs.kill_while_opening, tmp_path, 1, 100))
    assert {name for name in names if not name.startswith("index")} <= KNOWN
    secrets = [path.name for path in (home / ".local" / "state" / "dash-stash").iterdir()]
    assert {pathlib.Path(name).suffix for name in secrets} == {".secret"}


def test_sweeping_takes_no_flight_from_one_who_computes(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store.join(KEY)
    assert isinstance(first, LocalFlight)
    others: list[LocalFlight | Landed | None] = []
    take = LockFile.take

    def take_late(file: LockFile, *, wait: bool) -> bool:
        # The sweeper has opened the first flight's file. Before it has the lock, that flight lands
        # and another begins.
        monkeypatch.undo()
        first.land()
        others.append(store.join(KEY))
        return take(file, wait=wait)

    monkeypatch.setattr(LockFile, "take", take_late)
    store.handle.remove_abandoned()
    (second,) = others
    assert isinstance(second, LocalFlight)
    assert store.commit(second, KEY, Facts("memo", "value", 0.0), encode("value")), (
        "nobody deleted the key"
    )
    second.land()
