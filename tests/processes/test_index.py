"""The index is disposable: whoever deletes or damages it, and whenever, loses nothing."""

from __future__ import annotations

import pathlib
import time

import pytest

from processes.apps import jobs
from processes.running import full_disk, result, start
from support import NAME


@pytest.mark.parametrize(
    "pattern", ["index.sqlite", "index*"], ids=["the database alone", "with its companions"]
)
def test_deleting_the_index_while_processes_write_costs_no_write_and_no_listing(
    pattern: str, tmp_path: pathlib.Path
) -> None:
    folder, stop = tmp_path / "stash", tmp_path / "stop"
    writers = [start(jobs.write_until, folder, worker, stop) for worker in range(4)]
    time.sleep(1.0)  # they start, and write
    for _ in range(40):
        jobs.delete_index(folder, pattern)
        jobs.open_stash(folder).app["mine"] = 1  # makes it anew
        time.sleep(0.05)  # they write on
    stop.touch()
    assert [result(writer) for writer in writers] == [[]] * 4
    stash = jobs.open_stash(folder)
    stash.app["after"] = 1
    assert jobs.listed(stash) == jobs.entries(folder)


def test_killing_processes_while_they_make_the_index_anew_leaves_nothing_unlisted(
    tmp_path: pathlib.Path,
) -> None:
    folder = tmp_path / "stash"
    jobs.open_stash(folder).app.update({str(n): n for n in range(300)})
    assert result(start(jobs.kill_while_indexing, folder, 1, 40)) == 0


def test_an_index_that_a_full_disk_left_half_made_is_completed_when_there_is_room(
    tmp_path: pathlib.Path,
) -> None:
    with full_disk(tmp_path / "disk") as ballast:
        folder = tmp_path / "disk" / "stash"
        ballast.empty()
        jobs.open_stash(folder).app["old"] = 1
        jobs.delete_index(folder)
        ballast.fill()
        assert result(start(jobs.write_once, folder)) == "StoreUnavailable"
        ballast.empty()
        assert result(start(jobs.write_once, folder)) == "written"
        assert sorted(jobs.open_stash(folder).app) == ["new", "old"]


def test_an_index_damaged_while_a_process_uses_it_is_made_anew(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "stash"
    stash = jobs.open_stash(folder)
    stash.app.update({str(n): n for n in range(100)})
    for path in (folder / NAME).glob(
        "index*[!m]"
    ):  # not SQLite's shared memory, which lies on the disk by accident
        with path.open("r+b") as file:
            file.write(b"damage" * 2000)
    result(start(jobs.write_once, folder))  # the first to meet the damage may be refused
    assert result(start(jobs.write_once, folder)) == "written"
    assert len(jobs.open_stash(folder).app) == 101
