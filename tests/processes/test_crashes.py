"""What is left when processes are killed, stopped, or lose their index or folder."""

from __future__ import annotations

import os
import pathlib
import random
import signal
import subprocess
import sys
import time

from dash_stash import Stash
from support import (
    NAME,
    lines,
    must,
    remove_folder,
    run_python,
    start_python,
    sweep,
    wait_until,
)

_OPEN = """
import os, pathlib, sys, time
import numpy as np
from dash_stash import Stash
stash = Stash(url=f"file://{sys.argv[1]}", secret="a secret for the tests only")
"""

# Writes values that say whether they are whole: each is one number, repeated.
_WRITER = (
    _OPEN
    + """
@stash.memo
def block(n: int, size: int) -> dict[str, object]:
    return {"n": n, "array": np.full(size, n, dtype="int64")}

print("ready", flush=True)
rounds = 0
while True:
    rounds += 1
    block.refresh(rounds % 5, 2_000 if rounds % 2 else 40_000)
    stash.app.modify("rounds", lambda n: n + 1, default=0)
"""
)

_READER = (
    _OPEN
    + """
@stash.memo
def block(n: int, size: int) -> dict[str, object]:
    return {"n": n, "array": np.full(size, n, dtype="int64")}
for size in (2_000, 40_000):
    for n in range(5):
        value = block(n, size)
        assert value["n"] == n and (value["array"] == n).all() and len(value["array"]) == size
print(stash.app.modify("rounds", lambda n: n + 1, default=0))
"""
)


def test_500_kills_of_a_writer_leave_no_torn_value_no_stuck_key_and_no_litter(
    folder: pathlib.Path,
) -> None:
    chance = random.Random(1)
    torn_temporaries = 0
    for _ in range(25):
        # Twenty writers at a time share one interpreter start: forked from one that has everything
        # imported.
        fleet = start_python(_FLEET, folder)
        children = [int(word) for word in must(fleet.stdout).readline().split()]
        for child in children:
            time.sleep(chance.uniform(0, 0.01))  # the random moment
            os.kill(child, signal.SIGKILL)
        fleet.communicate(timeout=60)
        torn_temporaries += len(list((folder / NAME / "temporary").iterdir()))
        # Somebody else must find whole values, and every key free.
        run_python(_READER, folder)
    assert torn_temporaries > 0, "no writer was killed in the middle of a file, which proves little"
    again = Stash(url=f"file://{folder}", secret="a secret for the tests only")
    sweep(again._deployment.store)
    assert list((folder / NAME / "temporary").iterdir()) == []
    assert list((folder / NAME / "flights").iterdir()) == []


_FLEET = (
    _OPEN
    + """
@stash.memo
def block(n: int, size: int) -> dict[str, object]:
    return {"n": n, "array": np.full(size, n, dtype="int64")}

children = []
for seed in range(20):
    child = os.fork()
    if not child:
        rounds = seed
        while True:
            rounds += 1
            block.refresh(rounds % 5, 2_000 if rounds % 2 else 40_000)
            stash.app.modify("rounds", lambda n: n + 1, default=0)
    children.append(child)
print(*children, flush=True)
for child in children:
    os.waitpid(child, 0)
"""
)


def test_a_stopped_process_delays_no_reader_of_a_stored_value(folder: pathlib.Path) -> None:
    chance = random.Random(2)
    run_python(_READER, folder)
    reader = start_python(_PATIENT_READER, folder)
    must(reader.stdout).readline()
    slowest = 0.0
    for _ in range(30):
        writer = start_python(_WRITER, folder)
        must(writer.stdout).readline()
        time.sleep(chance.uniform(0, 0.05))  # the random moment
        writer.send_signal(signal.SIGSTOP)
        must(reader.stdin).write("read\n")
        must(reader.stdin).flush()
        slowest = max(slowest, float(must(reader.stdout).readline()))
        writer.kill()
        writer.communicate(timeout=30)
    reader.communicate("", timeout=30)
    assert reader.returncode == 0
    sweep(
        Stash(url=f"file://{folder}", secret="a secret for the tests only")._deployment.store
    )  # what the killed ones left
    assert slowest < 1.0


_PATIENT_READER = (
    _OPEN
    + """
computed = 0
@stash.memo
def block(n: int, size: int) -> dict[str, object]:
    return {"n": n, "array": np.full(size, n, dtype="int64")}
print("ready", flush=True)
for line in sys.stdin:
    began = time.perf_counter()
    for size in (2_000, 40_000):
        for n in range(5):
            assert block.peek(n, size)["n"] == n
    print(time.perf_counter() - began, flush=True)
"""
)


def test_deleting_the_index_costs_nothing_but_listing(folder: pathlib.Path) -> None:
    stash = Stash(url=f"file://{folder}")
    computed = []

    @stash.memo(tags=["numbers"], ignore="computed")
    def double(n: int) -> int:
        computed.append(n)
        return 2 * n

    for n in range(10):
        double(n)
    for file in (folder / NAME).glob("index.sqlite*"):
        file.unlink()
    assert [double(n) for n in range(10)] == [2 * n for n in range(10)]
    assert computed == list(range(10)), "every value was still there"
    assert double.info().entries == 10, "the listing came back"
    stash.forget(tag="numbers")
    assert double.peek(3) is None


def test_a_damaged_index_is_made_anew(folder: pathlib.Path) -> None:
    stash = Stash(url=f"file://{folder}")
    stash.app["a"] = 1
    del stash
    for file in (folder / NAME).glob("index.sqlite-*"):
        file.unlink()
    (folder / NAME / "index.sqlite").write_bytes(b"no database" * 1000)
    again = Stash(url=f"file://{folder}")
    again.app["b"] = 2
    assert dict(again.app) == {"a": 1, "b": 2}


def test_deleting_the_folder_while_processes_run_begins_anew_for_all(folder: pathlib.Path) -> None:
    here = Stash(url=f"file://{folder}", secret="a secret for the tests only")
    other = start_python(
        _OPEN + "for line in sys.stdin:\n"
        "    print(stash.app.modify('n', lambda n: n + 1, default=0), flush=True)",
        folder,
    )

    def ask() -> int:
        must(other.stdin).write("\n")
        must(other.stdin).flush()
        return int(must(other.stdout).readline())

    assert (ask(), here.app["n"], ask()) == (1, 1, 2)
    remove_folder(folder)
    # Within the second in which a process trusts what it knows, both have found the new folder.
    wait_until(lambda: "n" not in here.app, "the old value is gone here")
    wait_until(lambda: ask() == here.app.get("n"), "both see the same again")
    other.communicate(timeout=30)


def test_one_app_imported_under_two_names_shares_what_it_stores(
    folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    app = tmp_path / "pkg" / "app.py"
    app.parent.mkdir()
    (app.parent / "__init__.py").touch()
    app.write_text(
        "import sys\nfrom dash import Dash\nfrom dash_stash import Stash\n"
        "app = Dash(__name__)\nstash = Stash(app)\n"
        "@stash.memo\ndef slow(n):\n"
        f"    open({str(tmp_path / 'computed')!r}, 'a').write('x\\n')\n    return n\n"
        "slow(1)\nprint(stash._deployment.store.folder)\n",
    )
    script = subprocess.run(
        [sys.executable, str(app)], check=True, capture_output=True, text=True
    ).stdout.strip()
    imported = run_python("import pkg.app", PYTHONPATH=str(tmp_path))
    inside = run_python("import app", PYTHONPATH=str(app.parent))
    assert script == imported == inside
    assert len(lines(tmp_path / "computed")) == 1
