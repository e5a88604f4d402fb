"""The least recently used goes first, whoever used it."""

from __future__ import annotations

import pathlib

from processes.apps import jobs
from processes.running import result, start
from support import wait_until


def test_what_another_process_reads_all_the_time_outlives_any_number_of_writes(
    tmp_path: pathlib.Path,
) -> None:
    stash = jobs.open_stash(tmp_path / "stash", max_entries=300)
    ref = stash.put("read all the time", share=True)
    reader = start(
        jobs.read_until, tmp_path / "stash", ref, tmp_path / "started", tmp_path / "stop"
    )
    wait_until((tmp_path / "started").exists, "the reader reads")
    for n in range(1500):
        stash.put(n, share=True)
    (tmp_path / "stop").touch()
    assert result(reader) == "kept"
    assert len(stash._deployment.store.list()) <= 300
