"""No write is lost where files look the same: inodes are reused, time stamps tick slowly.

Before Linux 6.13 the time stamps of all file systems did.
"""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from processes.apps import jobs, stamps
from processes.running import ask, result, start


class Disk(NamedTuple):
    """Where to store, and what the processes that do so must be told."""

    folder: pathlib.Path
    environment: dict[str, str]


@pytest.fixture
def disk(tmp_path: pathlib.Path) -> Iterator[Disk]:
    """A folder on ext3.

    Where that cannot be mounted, one that the processes see as if all files looked the same.
    """
    image, place = tmp_path / "image", tmp_path / "disk"
    place.mkdir()
    with contextlib.ExitStack() as stack:
        try:
            with image.open("wb") as file:
                file.truncate(64 * 2**20)
            subprocess.run(["mkfs.ext3", "-q", "-F", str(image)], check=True)
            subprocess.run(
                ["mount", "-o", "loop", str(image), str(place)], check=True, capture_output=True
            )
            stack.callback(subprocess.run, ["umount", "--lazy", str(place)], check=True)
            environment = {}
        except (OSError, subprocess.CalledProcessError):
            environment = {stamps.SIMULATED: "1"}
        yield Disk(place / "stash", environment)


@pytest.fixture(params=["on such a disk", "simulated"])
def coarse(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Disk:
    if request.param == "simulated":
        return Disk(tmp_path / "stash", {stamps.SIMULATED: "1"})
    disk: Disk = request.getfixturevalue("disk")
    return disk


def test_of_10000_counts_by_two_processes_none_is_lost(coarse: Disk) -> None:
    counting = [
        start(stamps.increment, coarse.folder, 5_000, **coarse.environment) for _ in range(2)
    ]
    for process in counting:
        result(process)
    assert jobs.open_stash(coarse.folder).app["count"] == 10_000


@pytest.mark.parametrize("length", [500, 10_000, 50_000], ids=["kept in memory", "read", "mapped"])
def test_a_reader_sees_each_write_at_once_and_whole(length: int, coarse: Disk) -> None:
    writer, reader = (
        start(job, coarse.folder, length, **coarse.environment)
        for job in (stamps.write, stamps.read)
    )
    for number in range(2, 302, 2):
        assert ask(writer, str(number)) == "written"
        assert ask(reader, str(number)) == "True", number
