"""The code in the documentation runs, and the tool that looks for dead links finds them."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest

from dash_stash.stores.base import Store

_ROOT = pathlib.Path(__file__).parent.parent
_PAGES = sorted([*_ROOT.glob("*.md"), *_ROOT.glob("docs/**/*.md")])
_BLOCK = re.compile(r"^```(python.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _program(page: str) -> str:
    """Return the page's blocks of Python, at the same lines as on the page.

    Those marked "no-run" only have to compile.
    """
    program, line = "", 1
    for block in _BLOCK.finditer(page):
        kind, code = block.groups()
        padding = page.count("\n", 0, block.start(2)) + 1 - line
        code = "\n" * padding + code
        if kind == "python no-run":
            compile(code, "no-run", "exec")
            code = "\n" * code.count("\n")
        program, line = program + code, line + code.count("\n")
    return program


@pytest.mark.parametrize(
    "page", [page for page in _PAGES if "```python" in page.read_text()], ids=lambda page: page.stem
)
def test_the_code_of_a_page_runs(page: pathlib.Path, tmp_path: pathlib.Path) -> None:
    # As a module in a process of its own: that is how a server loads an app, and Dash's callbacks
    # are global.
    (tmp_path / "page.py").write_text(_program(page.read_text()))
    subprocess.run(
        [sys.executable, "-W", "error", "-c", "import page"], cwd=tmp_path, timeout=60, check=True
    )


def test_code_is_reported_at_the_line_of_its_page() -> None:
    page = "Text\n```python\na = 1\n```\n\n```python no-run\nb = 2\n```\n```python\nc = 3\n```\n"
    assert _program(page).splitlines() == ["", "", "a = 1", "", "", "", "", "", "", "c = 3"]


def test_the_page_on_stores_counts_the_methods_of_the_contract() -> None:
    methods = [name for name, part in vars(Store).items() if callable(part) and name[0] != "_"]
    assert len(methods) == 11
    assert ": eleven methods, " in (_ROOT / "docs" / "stores.md").read_text()


def test_a_dead_link_is_noticed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(
        "# The `Stash` of an app\n\n```\n# no heading\n[no](link)\n```\n"
    )
    alive = (
        "[a](docs/page.md#the-stash-of-an-app) [b](docs) [c](https://example.org) "
        "`[d](no-link)` [e](#top)\n# Top\n"
    )
    dead = ["gone.md", "docs/page.md#no-heading", "picture.png", "gone.svg", "reference.md"]
    text = (
        '[f](gone.md) [g](docs/page.md#no-heading "Title") ![h](picture.png) '
        '<img src="gone.svg">\n[i]: reference.md\n'
    )
    command = [sys.executable, str(_ROOT / "tools" / "dead_links.py")]
    for readme, expected in (
        (alive, []),
        (text, ["dead links:", *(f"README.md: {link}" for link in dead)]),
    ):
        (tmp_path / "README.md").write_text(readme)
        ran = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert ran.stderr.splitlines() == expected
        assert ran.returncode == bool(expected)
