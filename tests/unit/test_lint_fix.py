"""`dash-stash check --fix`: what it repairs, and what it leaves alone."""

from __future__ import annotations

import ast
import pathlib
import shutil
from collections import Counter

import pytest
from click.testing import CliRunner

from dash_stash.cli import main
from dash_stash.lint.check import check
from dash_stash.lint.report.fix import fixes

_CORPUS = pathlib.Path(__file__).parent.parent / "corpus"
_HEAD = "from dash import Input, Output, callback\n@callback(Output('a', 'b'), Input('c', 'd'))\n"


def fixed(folder: pathlib.Path, app: str) -> str:
    """Return an app after --fix."""
    file = folder / "app.py"
    file.write_bytes((_HEAD + app).encode())
    CliRunner().invoke(main, ["check", "--fix", str(file)])
    return file.read_bytes().decode().removeprefix(_HEAD)


def test_a_mutable_default_becomes_none(tmp_path: pathlib.Path) -> None:
    head = '    """Doc."""\n    # kept too\n'
    rest = '    seen.append(x)\n    é["b"] = x\n'
    app = 'def f(x, seen=[], *, é={"a": 1}):  # kept\n' + head + rest
    made = '    if seen is None:\n        seen = []\n    if é is None:\n        é = {"a": 1}\n'
    after = "def f(x, seen=None, *, é=None):  # kept\n" + head + made + rest
    assert fixed(tmp_path, app) == after


def test_line_ends_and_tabs_stay(tmp_path: pathlib.Path) -> None:
    (tmp_path / "app.py").write_bytes(
        (_HEAD + "def f(x, a=[]):\n\ta.append(x)\n").replace("\n", "\r\n").encode()
    )
    CliRunner().invoke(main, ["check", "--fix", str(tmp_path)])
    expected = _HEAD + "def f(x, a=None):\n\tif a is None:\n\t\ta = []\n\ta.append(x)\n"
    assert (tmp_path / "app.py").read_bytes() == expected.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "app",
    [
        "def f(x, a=[]): a.append(x)\n",
        "def f(x, a: list = []):\n    a.append(x)\n",
        "def f(x, a=[print()]):\n    a.append(x)\n",
        "def f(x, a=None):\n    a.append(x)\n",
    ],
)
def test_what_is_not_certain_is_left_alone(app: str, tmp_path: pathlib.Path) -> None:
    assert fixed(tmp_path, app) == app


def test_diff_shows_the_change_and_makes_none(tmp_path: pathlib.Path) -> None:
    (tmp_path / "app.py").write_text(_HEAD + "def f(x, a=[]):\n    a.append(x)\n")
    result = CliRunner().invoke(main, ["check", "--diff", str(tmp_path)])
    assert result.exit_code == 1
    assert (
        "-def f(x, a=[]):\n+def f(x, a=None):\n+    if a is None:\n+        a = []\n"
        in result.output
    )
    assert "a=[]" in (tmp_path / "app.py").read_text()


def test_the_corpus_parses_after_it_and_only_the_repaired_findings_are_gone(
    tmp_path: pathlib.Path,
) -> None:
    folder = tmp_path / "corpus"
    shutil.copytree(_CORPUS, folder)
    before = check([folder])
    repairs = fixes(before)
    for repair in repairs:
        ast.parse(repair.text)
        repair.write()
    after = check([folder])
    assert fixes(after) == []
    counts = [
        Counter(finding.rule.code for finding in report.findings) for report in (before, after)
    ]
    assert counts[1].pop("DS108", 0) < counts[0].pop("DS108") / 3
    assert counts[0] == counts[1]


def test_a_file_that_was_not_given_is_not_changed(tmp_path: pathlib.Path) -> None:
    helper = "def keep(x, a=[]):\n    a.append(x)\n"
    (tmp_path / "helper.py").write_text(helper)
    fixed(tmp_path, "def f(x):\n    import helper\n    helper.keep(x)\n")
    assert (tmp_path / "helper.py").read_text() == helper
