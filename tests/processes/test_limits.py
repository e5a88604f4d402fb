"""A full disk, and budgets, over several processes."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from dash_stash import Stash, StoreUnavailable
from dash_stash.stores.local import LocalStore
from processes.running import full_disk
from support import NAME, must, run_python, start_python

_WORKER = """
import os, sys
import numpy as np
from dash_stash import Stash, StoreUnavailable
stash = Stash(url=f"file://{sys.argv[1]}", secret="a secret for the tests only")

@stash.memo
def block(n: int) -> np.ndarray:
    return np.full(100_000, n)

print("ready", flush=True)
for line in sys.stdin:
    assert (block(int(line)) == int(line)).all()
    try:
        stash.put(1, share=True)
        stored = block.peek(int(line)) is not None
    except StoreUnavailable:
        stored = False
    print("stored" if stored else "computed", flush=True)
"""


@pytest.mark.parametrize(
    "started_full", [False, True], ids=["full while running", "full at the start"]
)
def test_a_full_disk_stops_nobody_and_leaves_nothing(
    started_full: bool,
    tmp_path: pathlib.Path,
) -> None:
    with full_disk(tmp_path / "disk") as ballast:
        folder = tmp_path / "disk" / "stash"
        if not started_full:
            ballast.empty()
            Stash(url=f"file://{folder}", secret="a secret for the tests only").put(1, share=True)
            ballast.fill()
        worker = start_python(_WORKER, folder)
        must(worker.stdout).readline()

        def ask(n: int) -> str:
            must(worker.stdin).write(f"{n}\n")
            must(worker.stdin).flush()
            return must(worker.stdout).readline().strip()

        assert ask(1) == "computed"
        assert _files(folder / NAME / "temporary") == []
        late = start_python(_WORKER, folder)
        must(late.stdout).readline()
        ballast.empty()
        must(late.stdin).write("2\n")
        must(late.stdin).flush()
        assert must(late.stdout).readline().strip() == "stored", (
            "a worker that started meanwhile serves again"
        )
        assert ask(3) == "stored"
        assert _files(folder / NAME / "temporary") == []
        for process in (worker, late):
            process.communicate(timeout=30)
            assert process.returncode == 0


def _files(folder: pathlib.Path) -> list[pathlib.Path]:
    return list(folder.iterdir()) if folder.exists() else []


_FILLER = """
import os, sys
import numpy as np
from dash_stash import Stash
budget = {"max_bytes": 2_000_000, "max_entries": 30}
stash = Stash(url=f"file://{sys.argv[1]}", secret="a secret for the tests only", **budget)
for n in range(60):
    stash.put(np.zeros(12_000), share=True)
"""


def _options() -> dict[str, object]:
    return {"secret": "a secret for the tests only", "max_bytes": 2_000_000, "max_entries": 30}


def test_budgets_hold_while_four_processes_write(folder: pathlib.Path) -> None:
    fillers = [start_python(_FILLER, folder) for _ in range(4)]
    for filler in fillers:
        filler.communicate(timeout=120)
        assert filler.returncode == 0
    files = [path for path in (folder / NAME / "entries").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    assert len(files) <= 30
    assert 1_500_000 < size <= 2_000_000, "within the budget, and not far below it"


_VISITORS = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from dash_stash import Stash, codec, keys, entries, owner
budget = {"max_bytes": 500_000, "max_sessions": 100}
stash = Stash(url=f"file://{sys.argv[1]}", secret="a secret for the tests only", **budget)

def come(n):
    session = owner.make("session", keys.digest(b'%d' % n, sys.argv[2].encode()))
    stash._deployment.store.touch(session)
    for part in range(2):
        name = f"{os.getpid()} {n} {part}".encode()
        facts = entries.Facts("put", "text", stash._deployment.clock(), owner=session)
        stash._deployment.store.commit(None, keys.digest(name), facts, codec.encode("x" * 1000))

with ThreadPoolExecutor(8) as crowd:
    list(crowd.map(come, range(300)))
"""


def test_budgets_are_hardly_exceeded_while_many_write_at_once(folder: pathlib.Path) -> None:
    writers = 4 * 8
    store = Stash(url=f"file://{folder}", **_options())._deployment.store  # type: ignore[arg-type]
    assert isinstance(store, LocalStore)
    fillers = [start_python(_VISITORS, folder, str(number)) for number in range(4)]
    most_bytes = most_sessions = 0
    while any(filler.poll() is None for filler in fillers):
        totals = store.handle.index().totals()
        most_bytes, most_sessions = (
            max(most_bytes, totals.bytes),
            max(most_sessions, totals.sessions),
        )
    assert [filler.returncode for filler in fillers] == [0] * 4
    size_of_one = max(listed.size for listed in store.list())
    assert 100 <= most_sessions <= 100 + writers, (
        "each writer is over by one at most, before it makes room"
    )
    assert most_bytes <= 500_000 + writers * size_of_one


_SWEEPER = """
import sys
from dash_stash import Stash
store = Stash(url=f"file://{sys.argv[1]}", secret="a secret for the tests only")._deployment.store

def held_up(now, limit):
    print("sweeps", flush=True)
    sys.stdin.read()

store.handle.index().gone = held_up
store.janitor.sweep()
"""


def test_one_process_at_a_time_sweeps_and_another_takes_over_when_it_dies(
    folder: pathlib.Path,
) -> None:
    store = Stash(url=f"file://{folder}", **_options())._deployment.store  # type: ignore[arg-type]
    assert isinstance(store, LocalStore)
    assert store.janitor.sweep()
    other = start_python(_SWEEPER, folder)
    assert must(other.stdout).readline() == "sweeps\n"
    assert not store.janitor.sweep(), "the other is at it"
    other.kill()
    other.wait()
    assert store.janitor.sweep()


def test_what_another_process_reads_stays_and_the_least_recently_used_goes(
    folder: pathlib.Path,
) -> None:
    stash = Stash(url=f"file://{folder}", **_options())  # type: ignore[arg-type]
    refs = [stash.put(np.full(12_000, n), share=True) for n in range(10)]
    reader = """
    import sys, time
    from dash_stash import Stash
    stash = Stash(url=f"file://{sys.argv[1]}", secret="a secret for the tests only")
    time.sleep(1.1)  # uses are noted once a second
    for text in sys.argv[2:]:
        stash.ref(text).get()
    """
    run_python(reader, folder, *refs[:3])
    held = refs[5].get()
    for _ in range(13):
        stash.put(np.zeros(12_000), share=True)
    alive = [n for n, ref in enumerate(refs) if _is_there(stash, ref)]
    assert set(alive) >= {0, 1, 2}, "these were read last, by somebody else"
    assert 4 not in alive
    assert (held == 5).all(), "whoever holds a value keeps it"


def _is_there(stash: Stash, ref: object) -> bool:
    store = stash._deployment.store
    assert isinstance(store, LocalStore)
    return store.read(ref._target.key) is not None  # type: ignore[attr-defined]


def test_a_value_larger_than_the_budget_is_refused_and_evicts_nothing(folder: pathlib.Path) -> None:
    stash = Stash(url=f"file://{folder}", **_options())  # type: ignore[arg-type]
    kept = stash.put("small", share=True)
    with pytest.raises(StoreUnavailable, match="max_bytes=2,000,000"):
        stash.put(np.zeros(1_000_000), share=True)
    assert kept.get() == "small"
