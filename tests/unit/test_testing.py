"""`dash_stash.testing` as others use it: the page about stores is such a use."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from dash_stash import Stash
from dash_stash.testing import ManualClock
from support import run_python
from test_docs import _program

_PAGE = pathlib.Path(__file__).parents[2] / "docs" / "stores.md"


def _run(tmp_path: pathlib.Path, program: str, *options: str) -> tuple[int, str]:
    """Run the tests of the page about stores, as its reader has them."""
    (tmp_path / "test_shm.py").write_text(program)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:dash", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [*command, "-W", "ignore:.*use of fork:DeprecationWarning", *options, "test_shm.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return ran.returncode, ran.stdout


def test_the_store_of_the_documentation_keeps_the_contract(tmp_path: pathlib.Path) -> None:
    status, told = _run(tmp_path, _program(_PAGE.read_text()))
    assert status == 0, told


def test_a_store_that_breaks_the_contract_is_told_what_it_did(tmp_path: pathlib.Path) -> None:
    broken = """
class Deaf(LocalStore):
    def delete(self, key, flight=None):
        return True

ShmUnderTest.open = lambda self, sealing_key=SEALING_KEY, limits=LIMITS: Deaf(
    self.folder, sealing_key, limits, clock=self.clock
)
"""
    status, told = _run(tmp_path, _program(_PAGE.read_text()) + broken, "-k", "was_deleted")
    assert status == 1
    assert "test_its_key_was_deleted_so_it_is_a_miss" in told
    assert "assert 'value' is None" in told, "asserts say what they compared"


@pytest.mark.parametrize("missing", ["pytest", "numpy"])
def test_without_its_libraries_it_says_what_it_needs(missing: str) -> None:
    told = run_python(
        f"""
        import sys
        sys.modules[{missing!r}] = None
        import dash_stash
        try:
            import dash_stash.testing
        except ModuleNotFoundError as error:
            print(error)
        """
    )
    assert told == "dash_stash.testing needs pytest and NumPy: pip install pytest numpy"


def test_the_package_itself_does_not_import_it() -> None:
    printed = run_python(
        "import sys, dash_stash; print([name for name in sys.modules if 'testing' in name])"
    )
    assert "dash_stash.testing" not in printed


def test_a_manual_clock_stands_still_until_it_is_set(folder: pathlib.Path) -> None:
    clock = ManualClock()
    assert clock() == clock() == clock.now
    calls: list[int] = []
    stash = Stash(url=f"file://{folder}", clock=clock)
    memo = stash.memo(ttl=60, ignore="calls")(lambda: calls.append(1))
    memo()
    clock.now += 59
    memo()
    assert len(calls) == 1
    clock.now += 1
    memo()
    assert len(calls) == 2
