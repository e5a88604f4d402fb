"""A thread that works for an object: one in each process, no longer than the object lives."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest

from dash_stash.threads import BackgroundThread
from support import run_python, wait_until

NAME = "the thread of a test"


class Worker:
    """Has a thread that counts the worker's steps, with a pause after each."""

    def __init__(self, pause: float | None = 0.001) -> None:
        self.pause, self.steps = pause, 0
        self.thread = BackgroundThread(NAME, self, Worker.step)

    def step(self) -> float | None:
        self.steps += 1
        return self.pause

    def begin(self) -> None:
        """Start the thread, and wait for its first step."""
        assert self.thread.start()
        wait_until(lambda: self.steps, "it works")


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == NAME]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    gc.collect()
    wait_until(lambda: not running(), "the threads of the test have ended")


def test_it_calls_its_function_again_and_again() -> None:
    worker = Worker()
    assert worker.thread.start()
    wait_until(lambda: worker.steps > 2, "it works")
    assert all(thread.daemon for thread in running())


def test_a_process_has_one_however_many_start_it() -> None:
    worker, begin = Worker(60), threading.Barrier(8)

    def start() -> None:
        begin.wait()
        assert worker.thread.start()

    starting = [threading.Thread(target=start) for _ in range(8)]
    for thread in starting:
        thread.start()
    for thread in starting:
        thread.join()
    wait_until(lambda: worker.steps, "it works")
    assert len(running()) == 1


def test_it_ends_with_its_object_also_in_a_long_pause() -> None:
    worker = Worker(3600)
    worker.begin()
    gone = weakref.ref(worker)
    del worker
    wait_until(lambda: gone() is None, "the thread does not hold it")
    wait_until(lambda: not running(), "the thread has ended")


def test_it_ends_with_an_object_in_a_cycle_that_is_collected_anywhere() -> None:
    worker = Worker(3600)
    worker.itself = worker  # type: ignore[attr-defined]
    worker.begin()
    del worker
    gc.collect()
    wait_until(lambda: not running(), "the thread has ended")


def test_it_ends_when_its_function_says_so_and_can_be_started_again() -> None:
    worker = Worker(None)
    worker.thread.start()
    wait_until(lambda: not running(), "it has ended")
    worker.thread.start()
    wait_until(lambda: worker.steps == 2, "it works again")


def test_it_is_woken_from_a_pause() -> None:
    worker = Worker(3600)
    worker.thread.wake()  # not started: nothing to wake
    worker.begin()
    worker.thread.wake()
    worker.thread.wake()
    wait_until(lambda: worker.steps >= 2, "it works again")


def test_a_call_that_comes_while_it_works_is_not_lost() -> None:
    class Slow:
        def __init__(self) -> None:
            self.steps, self.goes_on = 0, threading.Event()
            self.thread = BackgroundThread(NAME, self, Slow.step)

        def step(self) -> float:
            self.steps += 1
            self.goes_on.wait()
            return 3600

    slow = Slow()
    slow.thread.start()
    wait_until(lambda: slow.steps == 1, "it works")
    slow.thread.wake()
    slow.goes_on.set()
    wait_until(lambda: slow.steps == 2, "it works again")


def test_a_forked_child_starts_its_own() -> None:
    printed = run_python("""
        import os
        from unit.test_threads import Worker
        from support import wait_until

        worker = Worker(60)
        worker.begin()
        child = os.fork()
        if child == 0:
            worker.thread.start()
            wait_until(lambda: worker.steps == 2, "the child's works too")
            worker.thread.start()
            worker.thread.wake()
            wait_until(lambda: worker.steps == 3, "and is woken")
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), worker.steps)
    """)
    assert printed == "0 1"


def test_starting_it_while_the_interpreter_exits_is_no_error() -> None:
    printed = run_python("""
        from unit.test_threads import Worker

        class Last:
            def __del__(self) -> None:
                print("started:", worker.thread.start(), flush=True)

        worker, last = Worker(60), Last()
    """)
    assert printed == "started: False"


def test_a_thread_that_cannot_be_started_now_can_be_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = Worker()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", raising(RuntimeError("can't start new thread")))
        assert not worker.thread.start()
    worker.begin()


def test_a_signal_handler_that_raises_meanwhile_leaves_it_startable_and_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker, start = Worker(60), threading.Thread.start

    def start_and_raise(thread: threading.Thread) -> None:
        start(thread)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start_and_raise)
        with pytest.raises(KeyboardInterrupt):
            worker.thread.start()
    worker.begin()
    wait_until(lambda: len(running()) == 1, "only the second is left")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_ends_it_and_it_can_be_started_again() -> None:
    class Failing:
        def __init__(self) -> None:
            self.steps = 0
            self.thread = BackgroundThread(NAME, self, Failing.step)

        def step(self) -> float:
            self.steps += 1
            raise ValueError("in the thread")

    failing = Failing()
    for number in (1, 2):
        failing.thread.start()
        wait_until(lambda: not running(), "it has ended")
        assert failing.steps == number


def test_it_does_nothing_more_once_the_interpreter_exits() -> None:
    printed = run_python("""
        import atexit
        from unit.test_threads import Worker
        from support import wait_until

        def at_exit() -> None:
            print(worker.steps, flush=True)

        worker = Worker(3600)
        atexit.register(at_exit)
        worker.begin()
    """)
    assert printed == "1"


def raising(error: BaseException) -> Callable[[object], None]:
    def fail(_: object) -> None:
        raise error

    return fail
