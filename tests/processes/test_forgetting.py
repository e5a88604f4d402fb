"""Deleting is final, and counting is exact, over processes."""

from __future__ import annotations

import pathlib

import pytest

from processes.apps import jobs
from processes.running import result, start
from support import lines, wait_until


@pytest.mark.parametrize("how", ["by key", "by function", "by tag"])
def test_what_is_forgotten_while_it_is_computed_does_not_come_back(
    how: str, tmp_path: pathlib.Path
) -> None:
    stash, slow = jobs.open_slow(tmp_path / "stash")
    first = start(jobs.call_slow, tmp_path / "stash", "key")
    wait_until(lambda: len(lines(tmp_path / "computed")) == 1, "the first computation began")
    if how == "by key":
        slow.forget("key")
    elif how == "by function":
        slow.forget()
    else:
        stash.forget(tag="slow")
    second = start(jobs.call_slow, tmp_path / "stash", "key")
    if how == "by key":
        wait_until(
            lambda: len(lines(tmp_path / "computed")) == 2,
            "who comes now does not wait for what is forgotten",
        )
    (tmp_path / "go 1").touch()
    assert result(first) == 1
    assert slow.peek("key") is None, "the forgotten computation stored nothing"
    (tmp_path / "go 2").touch()
    assert result(second) == 2, "who came after forgetting got a computation of after forgetting"
    assert slow.peek("key") == slow("key") == 2
    assert len(lines(tmp_path / "computed")) == 2


def test_a_deleted_variable_does_not_come_back_and_no_increment_of_8_processes_is_lost(
    tmp_path: pathlib.Path,
) -> None:
    stash = jobs.open_stash(tmp_path / "stash")
    stash.app["count"] = 10**6
    del stash.app["count"]
    pids = [
        result(job) for job in [start(jobs.increment, tmp_path / "stash", 200) for _ in range(8)]
    ]
    assert len(set(pids)) == 8
    assert stash.app["count"] == 8 * 200


@pytest.mark.parametrize("how", ["by key", "by function", "by tag"])
def test_no_caller_ever_gets_a_value_from_before_it_forgot(
    how: str, tmp_path: pathlib.Path
) -> None:
    forgetters = [
        start(jobs.forget_and_call, tmp_path / "stash", how, owner, 150) for owner in range(3)
    ]
    callers = [
        start(jobs.call_and_compare, tmp_path / "stash", tmp_path / "stop") for _ in range(2)
    ]
    outdated = [result(forgetter) for forgetter in forgetters]
    (tmp_path / "stop").touch()
    assert outdated + [result(caller) for caller in callers] == [0] * 5
