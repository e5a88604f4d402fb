"""What users are promised under gunicorn with four workers, over real requests."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dash_stash.ref import PREFIX
from support import NAME, Browser, gunicorn, lines, wait_until

# Five requests at a time in each of four workers: of twenty at once, each worker must take its
# part.
THREADS = ("--worker-class", "gthread", "--threads", "5", "--worker-connections", "5")


def wait_for_callers(folder: pathlib.Path, count: int) -> None:
    """Wait until one caller computes and the others wait: each has the flight's file open."""
    (flight,) = wait_until(
        lambda: list((folder / "stash" / NAME / "flights").glob("*")), "the flight's file is there"
    )
    wait_until(lambda: _openers(flight) == count, f"{count} compute or wait")


def over_several_workers(
    call: Callable[[int], str], threads: ThreadPoolExecutor
) -> list[dict[str, Any]]:
    """Call a hundred times at once, and again until more than one worker has answered.

    Return all the answers.
    """
    answers: list[dict[str, Any]] = []

    def is_spread() -> bool:
        answers.extend(map(json.loads, threads.map(call, range(100))))
        return len({answer["pid"] for answer in answers}) > 1

    wait_until(is_spread, "more than one worker answers")
    return answers


def test_20_clients_on_a_cold_key_run_the_function_once_and_each_gets_the_value(
    tmp_path: pathlib.Path,
) -> None:
    with gunicorn("shop:server", tmp_path, *THREADS) as address, ThreadPoolExecutor(20) as threads:
        browsers = list(threads.map(lambda _: Browser(address), range(20)))
        signals = [
            threads.submit(browser.call, "signal.data", region__value="north")
            for browser in browsers
        ]
        wait_for_callers(tmp_path, 20)
        (tmp_path / "go").touch()
        drawn = [
            json.loads(browser.call("out.children", signal__data=signal.result()))
            for browser, signal in zip(browsers, signals, strict=True)
        ]

        def has_another_answered() -> bool:
            answer = browsers[0].call("out.children", signal__data=signals[0].result())
            drawn.append(json.loads(answer))
            return len({each["pid"] for each in drawn}) > 1

        wait_until(has_another_answered, "more than one worker answers")
    assert len(lines(tmp_path / "computed")) == 1
    assert {(each["region"], each["total"]) for each in drawn} == {("north", sum(range(100_000)))}


def test_different_keys_are_computed_side_by_side(tmp_path: pathlib.Path) -> None:
    with gunicorn("shop:server", tmp_path) as address, ThreadPoolExecutor(3) as threads:
        browser = Browser(address)
        calls = [
            threads.submit(browser.call, "signal.data", region__value=region)
            for region in ("a", "b", "c")
        ]
        wait_until(
            lambda: len(lines(tmp_path / "computed")) == 3,
            "three computations are under way at once",
        )
        (tmp_path / "go").touch()
        assert len({call.result() for call in calls}) == 3


def test_a_worker_killed_while_computing_is_replaced_within_a_second(
    tmp_path: pathlib.Path,
) -> None:
    with gunicorn("shop:server", tmp_path) as address, ThreadPoolExecutor(8) as threads:
        browsers = [Browser(address) for _ in range(3)]
        calls = [
            threads.submit(browser.post, "signal.data", region__value="north")
            for browser in browsers
        ]
        wait_for_callers(tmp_path, 3)
        (first,) = lines(tmp_path / "computed")
        os.kill(int(first.split()[0]), signal.SIGKILL)
        killed = time.monotonic()
        wait_until(lambda: len(lines(tmp_path / "computed")) == 2, "another worker computes", 10)
        replaced = time.monotonic() - killed
        (tmp_path / "go").touch()
        answers = []
        for call in calls:
            try:
                answers.append(call.result().status_code)
            except OSError:
                answers.append(0)
    assert replaced < 1.0
    assert sorted(answers) == [0, 200, 200], "only the killed worker's own client may notice"


@pytest.mark.parametrize("how", ["fork", "multiprocessing"])
def test_a_holder_whose_forked_child_lives_on_is_replaced_as_fast(
    how: str, tmp_path: pathlib.Path
) -> None:
    with gunicorn("shop:server", tmp_path) as address, ThreadPoolExecutor(2) as threads:
        browsers = [Browser(address) for _ in range(2)]
        calls = [
            threads.submit(browser.post, "forked.children", how__value=how) for browser in browsers
        ]
        wait_until((tmp_path / "forked").exists, "the holder has forked")
        wait_for_callers(tmp_path, 2)
        child = int(lines(tmp_path / "children")[0])
        os.kill(int(lines(tmp_path / "computed")[0].split()[0]), signal.SIGKILL)
        killed = time.monotonic()
        wait_until(lambda: len(lines(tmp_path / "computed")) == 2, "another worker computes", 10)
        replaced = time.monotonic() - killed
        os.kill(child, 0)  # it lives
        os.kill(child, signal.SIGKILL)
        assert any(call.exception() is None and call.result().status_code == 200 for call in calls)
    assert replaced < 1.0


def test_a_failing_function_runs_once_for_all_who_waited(tmp_path: pathlib.Path) -> None:
    with gunicorn("shop:server", tmp_path, *THREADS) as address, ThreadPoolExecutor(20) as threads:
        browser = Browser(address)
        calls = [threads.submit(browser.call, "failed.children", key__value="k") for _ in range(20)]
        wait_for_callers(tmp_path, 20)
        (tmp_path / "go").touch()
        assert {call.result() for call in calls} == {"ValueError: no such key: k"}
        assert len(lines(tmp_path / "failed")) == 1
        assert browser.call("failed.children", key__value="k") == "ValueError: no such key: k"
        assert len(lines(tmp_path / "failed")) == 2, "the next caller tries again"


def _openers(path: pathlib.Path) -> int:
    count = 0
    for descriptor in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        try:
            count += os.readlink(descriptor) == str(path)
        except OSError:
            continue
    return count


def test_the_signal_that_crosses_the_network_is_under_200_bytes(tmp_path: pathlib.Path) -> None:
    (tmp_path / "go").touch()
    with gunicorn("shop:server", tmp_path, workers=1) as address:
        response = Browser(address).post("signal.data", region__value="north")
    assert PREFIX in response.text
    assert len(response.content) < 200


def test_two_browsers_never_see_each_others_session_data(tmp_path: pathlib.Path) -> None:
    with gunicorn("shop:server", tmp_path) as address, ThreadPoolExecutor(8) as threads:

        def visit(number: int) -> set[int]:
            browser, name = Browser(address), f"user {number}"
            browser.call("session.children", name__value=name)
            answers = [
                json.loads(browser.call("session.children", name__value=None)) for _ in range(12)
            ]
            assert {(answer["session"], answer["page"]) for answer in answers} == {(name, name)}
            return {answer["pid"] for answer in answers}

        wait_until(
            lambda: len(set().union(*threads.map(visit, range(8)))) > 1,
            "more than one worker answers",
            120,
        )


def test_a_page_keeps_its_own_data_within_a_session(tmp_path: pathlib.Path) -> None:
    with gunicorn("shop:server", tmp_path, workers=1) as address:
        browser = Browser(address)
        browser.call("session.children", name__value="first load")
        again = Browser.__new__(Browser)
        again.address, again.cookies = address, browser.cookies
        again.page = (
            again.cookies.get(address)
            .text.partition('data-ids="')[2]
            .partition('"')[0]
            .rpartition(".")[0]
        )
        found = json.loads(again.call("session.children", name__value=None))
    assert (found["session"], found["page"]) == ("first load", None)


def test_a_reference_opens_only_for_the_session_that_it_was_minted_for(
    tmp_path: pathlib.Path,
) -> None:
    with gunicorn("shop:server", tmp_path) as address:
        owner, other = Browser(address), Browser(address)
        reference = owner.call("put.data", mine__value="private")
        assert json.loads(owner.call("opened.children", put__data=reference)) == {"mine": "private"}
        flipped = reference[:-2] + ("AA" if reference[-2:] != "AA" else "BB")
        refused = [
            other.post("opened.children", put__data=text)
            for text in (reference, flipped, reference[:40])
        ]
        refused.append(owner.post("opened.children", put__data=flipped))
        assert [answer.status_code for answer in refused] == [403] * 4
        assert not any("private" in answer.text for answer in refused)
        assert (
            json.loads(other.call("opened.children", put__data="stash: what somebody typed"))
            == "stash: what somebody typed"
        )
    assert lines(tmp_path / "opened") == ["{'mine': 'private'}", "stash: what somebody typed"], (
        "no other callback ran"
    )


@pytest.mark.parametrize(
    "options", [(), ("--preload",), THREADS], ids=["sync", "preload", "threads"]
)
def test_mutation_in_one_callback_is_unseen_by_all_others(
    options: tuple[str, ...], tmp_path: pathlib.Path
) -> None:
    with gunicorn("shop:server", tmp_path, *options) as address, ThreadPoolExecutor(8) as threads:
        browser = Browser(address)
        answers = over_several_workers(
            lambda n: browser.call("mutated.children", round__value=n), threads
        )
    expected = [
        float(sum(range(20_000))),
        ["a", "b"],
        20_000,
        0.0,
        0.0,
        {"list": [1, 2, 3]},
        [{"a": 1}],
    ]
    assert all(answer["seen"] == expected for answer in answers)


@pytest.mark.parametrize("options", [("--preload",), THREADS], ids=["preload", "threads"])
def test_no_click_is_lost_over_forked_workers_and_threads(
    options: tuple[str, ...], tmp_path: pathlib.Path
) -> None:
    with gunicorn("shop:server", tmp_path, *options) as address, ThreadPoolExecutor(8) as threads:
        browser = Browser(address)
        answers = over_several_workers(
            lambda n: browser.call("clicks.children", button__n_clicks=n), threads
        )
    assert sorted(answer["clicks"] for answer in answers) == list(range(1, len(answers) + 1))
