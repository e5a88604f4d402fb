"""Entries that were flipped, cut, swapped or forged are misses.

They are never a wrong value, a signal, or code that runs.
"""

from __future__ import annotations

import os
import pathlib
import pickle
import random
import shutil

import pytest

from dash_stash import Stash, entries
from dash_stash.codec import encode
from dash_stash.entries import Facts
from processes.apps import damage
from processes.running import result, start
from support import NAME, run_python

_SECRET = "a secret for the tests only"

_OPEN = """
import sys
from dash_stash import Stash
Stash(url=f"file://{sys.argv[1]}", secret=sys.argv[2]).ref(sys.argv[3]).get()
"""


def test_2000_flipped_bytes_and_truncations_are_misses(tmp_path: pathlib.Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    jobs = [start(damage.read_damaged, tmp_path / f"stash{n}", seed + n, 500) for n in range(4)]
    counts = [result(job) for job in jobs]
    assert [(count["wrong"], count["whole"]) for count in counts] == [(0, 0)] * 4
    assert sum(count["miss"] for count in counts) >= 2000


def test_a_signal_in_a_reading_process_would_be_noticed(tmp_path: pathlib.Path) -> None:
    with pytest.raises(AssertionError, match="ended with -7"):
        result(start(damage.crash, tmp_path))


def _malicious(marker: pathlib.Path) -> object:
    class Malicious:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(marker),)

    return Malicious()


@pytest.mark.parametrize("attack", ["another secret", "no seal", "spliced header"])
def test_code_laid_into_the_folder_never_runs(
    attack: str, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    marker = tmp_path / "it ran"
    stash = Stash(url=f"file://{folder}", secret=_SECRET)
    ref = stash.put({"a": "value"}, share=True)
    (path,) = (path for path in (folder / NAME / "entries").rglob("*") if path.is_file())
    key = bytes.fromhex(path.name)
    evil = encode(_malicious(marker))
    marker.rmdir()  # whoever stores something tries whether it comes back
    sealing_key = b"the attacker's own sealing key.." if attack == "another secret" else bytes(32)
    packed = entries.pack(key, Facts("put", "evil", 0.0), evil, sealing_key)
    body = b"".join((packed.head, *packed.body))
    if attack == "spliced header":
        genuine = path.read_bytes()
        body = _with_checksum(genuine[: 8 + 16 + 32] + body[8 + 16 + 32 :])
    path.chmod(0o600)
    path.write_bytes(body)
    with pytest.raises(AssertionError, match="exit status 1"):
        run_python(_OPEN, folder, _SECRET, ref)
    assert not marker.exists()
    pickle.loads(evil.segments[0].header)
    assert marker.exists(), "the attack works where nothing guards"
    marker.rmdir()
    with pytest.raises(AssertionError, match="exit status 1"):
        run_python(_OPEN, folder, _SECRET, ref)
    assert not marker.exists()


def _with_checksum(entry: bytes) -> bytes:
    import xxhash

    return entry[:8] + xxhash.xxh3_128(entry[24:]).digest() + entry[24:]


def test_an_entry_under_another_keys_name_is_a_miss(folder: pathlib.Path) -> None:
    stash = Stash(url=f"file://{folder}", secret=_SECRET)
    first, second = stash.put({"n": 1}, share=True), stash.put({"n": 2}, share=True)
    paths = {path.name: path for path in (folder / NAME / "entries").rglob("*") if path.is_file()}
    one, two = (paths[ref._target.key.hex()] for ref in (first, second))
    two.unlink()
    shutil.copy(one, two)
    run_python(_OPEN, folder, _SECRET, first)
    with pytest.raises(AssertionError, match="exit status 1"):
        run_python(_OPEN, folder, _SECRET, second)


def test_a_link_laid_in_an_entrys_place_is_not_followed(
    folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    stash = Stash(url=f"file://{folder}", secret=_SECRET)
    ref = stash.put({"n": 1}, share=True)
    (path,) = (path for path in (folder / NAME / "entries").rglob("*") if path.is_file())
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AssertionError, match="exit status 1"):
        run_python(_OPEN, folder, _SECRET, ref)
