"""How the tests run: what hangs fails, and what `make quick` leaves out."""

from __future__ import annotations

import pathlib
import subprocess
import sys

_TESTS = pathlib.Path(__file__).parent

_DEADLOCK = """
import threading

def test_two_threads_that_wait_for_each_other():
    locks, both = (threading.Lock(), threading.Lock()), threading.Barrier(2)

    def take(first, second):
        with first:
            both.wait()
            with second:
                pass

    other = threading.Thread(target=take, args=locks, daemon=True)
    other.start()
    take(*reversed(locks))

def test_another():
    pass
"""


def _pytest(*options: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(_TESTS.parent / "pyproject.toml"),
        *options,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_deadlock_shows_every_stack_and_fails(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "test_deadlock.py"
    path.write_text(_DEADLOCK)
    ran = _pytest("--rootdir", tmp_path, "-o", "faulthandler_timeout=2", path)
    assert ran.returncode == 1
    assert ran.stderr.count(" in take\n") == 2, "where both of them wait"


def test_the_quick_tests_need_no_server_browser_or_other_process() -> None:
    tried = {
        "processes/test_exit.py": False,
        "browser/test_frames.py": False,
        "unit/test_redis_sessions.py": False,  # by the fixture of the server
        "unit/test_imports.py": True,  # but for tests that start a process
        "unit/test_attacks.py": False,
        "unit/test_secrets.py": True,
    }
    quick = ("--collect-only", "-q", "-m", "not slow and not thorough")
    listed = _pytest(*quick, *(_TESTS / path for path in tried)).stdout.splitlines()
    files = {line.partition("::")[0].removeprefix("tests/") for line in listed if "::" in line}
    assert files == {path for path, is_quick in tried.items() if is_quick}
    assert not [line for line in listed if "[server" in line or "no_heavy_library" in line]
