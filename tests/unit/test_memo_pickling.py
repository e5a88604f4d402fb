"""Memo functions go to other processes by name, as any function."""

from __future__ import annotations

import copy
import functools
import os
import pathlib
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import cloudpickle
import pytest

from dash_stash import Stash

stash = Stash()
_calls: list[int] = []


@stash.memo
def double(n: int) -> int:
    _calls.append(n)
    return 2 * n


@stash.memo
async def triple(n: int) -> int:
    return 3 * n


class Loader:
    """A memo function may be a method."""

    @stash.memo(ignore="self")
    def load(self, n: int) -> int:
        return n

    @staticmethod
    @stash.memo
    def read(n: int) -> int:
        return n


@pytest.mark.parametrize(
    "memo",
    [double, triple, Loader.load, Loader.read],
    ids=["function", "async", "method", "static"],
)
@pytest.mark.parametrize(
    "copied",
    [
        lambda memo: pickle.loads(pickle.dumps(memo)),
        lambda memo: pickle.loads(cloudpickle.dumps(memo)),
        copy.copy,
        copy.deepcopy,
    ],
    ids=["pickle", "cloudpickle", "copy", "deepcopy"],
)
def test_a_copy_is_the_same_function(memo: Any, copied: Callable[[Any], Any]) -> None:
    assert copied(memo) is memo
    assert copied(functools.partial(memo, 1)).func is memo


def test_a_bound_one_is_bound_to_a_copy() -> None:
    bound = pickle.loads(pickle.dumps(Loader().load))
    assert isinstance(bound._instance, Loader)


def test_one_that_has_no_name_elsewhere_is_refused_as_any_function() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(stash.memo(lambda: 1))


PROGRAM = """
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import joblib
from dash_stash import Stash

stash = Stash(url=os.environ["URL"], secret="a secret for the tests only")


@stash.memo
def double(n: int) -> int:
    with open(os.environ["LOG"], "a") as log:
        print(n, file=log)
    return 2 * n


if __name__ == "__main__":
    for way in ("fork", "spawn", "forkserver"):
        with get_context(way).Pool(2) as pool:
            print(pool.map(double, [1, 2, 3]))
        with ProcessPoolExecutor(2, mp_context=get_context(way)) as executor:
            print(list(executor.map(double, [1, 2, 3])))
    print(joblib.Parallel(n_jobs=2)(joblib.delayed(double)(n) for n in [1, 2, 3]))
"""


def test_pools_of_processes_share_what_they_compute(tmp_path: pathlib.Path, url: str) -> None:
    program, log = tmp_path / "program.py", tmp_path / "log"
    program.write_text(PROGRAM)
    environment = {**os.environ, "URL": url, "LOG": str(log)}
    printed = subprocess.run(
        [sys.executable, str(program)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert printed.stdout.splitlines() == ["[2, 4, 6]"] * 7
    assert sorted(log.read_text().split()) == ["1", "2", "3"]
