"""Jobs on a file system, real or simulated, whose time stamps cannot tell files apart."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processes.apps import jobs

SIMULATED = "STASH_TEST_COARSE_STAMPS"
"""The environment variable that lets a process see one inode and one time stamp on all files."""


def _simulate() -> None:
    real = os.fstat

    def coarse(fd: int) -> os.stat_result:
        status = list(real(fd))
        status[1] = status[7] = status[8] = status[9] = 1
        return os.stat_result(status)

    os.fstat = coarse


if SIMULATED in os.environ:
    _simulate()


def increment(folder: str, times: int) -> int:
    """Count in a variable of the app."""
    return jobs.increment(folder, times)


def written(number: int, length: int) -> NDArray[Any]:
    """Return the value for a number: all of one size, integers or fractions in turn."""
    return np.full(length, number, dtype="<f8" if number % 4 < 2 else "<i8")


def write(folder: str, length: int) -> None:
    """For each number asked for, store a value, and replace it by the one of that number."""
    stash = jobs.open_stash(folder)
    for line in sys.stdin:
        for number in (int(line) - 1, int(line)):
            stash.app["value"] = written(number, length)
        print("written", flush=True)


def read(folder: str, length: int) -> None:
    """For each number asked for, read the value, and say whether it is the one of that number."""
    stash = jobs.open_stash(folder)
    for line in sys.stdin:
        value, expected = stash.app["value"], written(int(line), length)
        print(str(value.dtype == expected.dtype and bool((value == expected).all())), flush=True)
