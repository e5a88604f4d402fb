"""A full disk stops storing, and nothing else."""

from __future__ import annotations

import pathlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dash_stash import StoreUnavailable
from processes.apps import jobs
from processes.running import full_disk, result, start
from support import NAME


def test_put_and_state_are_refused_and_nothing_of_them_is_left(tmp_path: pathlib.Path) -> None:
    with full_disk(tmp_path / "disk") as ballast:
        folder = tmp_path / "disk" / "stash"
        ballast.empty()
        stash = jobs.open_stash(folder)
        stash.app["count"] = 1
        stored = jobs.entries(folder)
        ballast.fill()
        for refused in (
            lambda: stash.put(1, share=True),
            lambda: stash.app.update(new=1),
            lambda: stash.app.modify("count", lambda count: count + 1),
        ):
            with pytest.raises(StoreUnavailable, match="No space left"):
                refused()
        assert stash.app["count"] == 1, "what was stored can be read"
        assert jobs.entries(folder) == stored
        assert [
            *(folder / NAME / "temporary").iterdir(),
            *(folder / NAME / "flights").iterdir(),
        ] == []
        ballast.empty()
        assert result(start(jobs.increment, folder, 1)) > 0
        assert stash.app.modify("count", lambda count: count + 1) == 3


def test_callers_of_one_key_do_not_queue_for_a_value_that_cannot_be_stored(
    tmp_path: pathlib.Path,
) -> None:
    with full_disk(tmp_path / "disk") as ballast, ThreadPoolExecutor(8) as threads:
        ballast.empty()
        stash = jobs.open_stash(tmp_path / "disk" / "stash")
        stash.app["count"] = 1

        inside: list[int] = []
        most: list[int] = []

        @stash.memo(ignore=("inside", "most"))
        def slow(n: int) -> int:
            inside.append(n)
            time.sleep(0.3)  # what is waited for
            most.append(len(inside))
            inside.remove(n)
            return n

        ballast.fill()
        assert list(threads.map(slow, [1] * 8)) == [1] * 8
        assert max(most) > 1, "the first computes alone, then the others at the same time"
