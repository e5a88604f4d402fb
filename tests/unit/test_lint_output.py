"""The command `dash-stash check`: its formats, settings and exit status."""

from __future__ import annotations

import json
import pathlib
import time

import pytest
from click.testing import CliRunner, Result

from dash_stash.cli import main
from dash_stash.lint.report.rules import RULES

_APP = """from dash import Input, Output, callback
from store import put

@callback(Output("a", "b"), Input("c", "d"))
def update(value):
    put(value)
"""
_STORE = "rows = []\ndef put(row):\n    rows.append(row)\n"


@pytest.fixture
def app(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    (tmp_path / "app.py").write_text(_APP)
    (tmp_path / "store.py").write_text(_STORE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def test_text_shows_the_line_a_caret_and_the_way_to_the_mutation(app: pathlib.Path) -> None:
    result = run()
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        (
            "app.py:6:5: DS106 callback update changes `rows`, which all callbacks share, "
            "in put() at store.py:3"
        ),
        "    |     put(value)",
        "    |     ^^^^^^^^^^",
        "    through put(), store.py:3:5",
        "    |     rows.append(row)",
        "    |     ^^^^^^^^^^^^^^^^",
        f"    {RULES['DS106'].repair}",
        "",
        "1 finding in 2 files.",
    ]


def test_json_has_both_places(app: pathlib.Path) -> None:
    (finding,) = json.loads(run("--format", "json").output)["findings"]
    assert (finding["code"], finding["file"], finding["line"], finding["mutation"]["file"]) == (
        "DS106",
        "app.py",
        6,
        "store.py",
    )
    assert [step["callee"] for step in finding["path"]] == ["put"]


def test_sarif_names_the_rule_and_relates_the_mutation(app: pathlib.Path) -> None:
    log = json.loads(run("--format", "sarif").output)
    (ran,) = log["runs"]
    (result,) = ran["results"]
    assert (log["version"], ran["tool"]["driver"]["rules"][result["ruleIndex"]]["id"]) == (
        "2.1.0",
        result["ruleId"],
    )
    places = [
        place["physicalLocation"] for place in (*result["locations"], *result["relatedLocations"])
    ]
    assert [
        (place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places
    ] == [("app.py", 6), ("store.py", 3)]


def test_github_gets_an_annotation_a_line(app: pathlib.Path) -> None:
    assert run("--format", "github").output.startswith(
        "::warning file=app.py,line=6,col=5,endLine=6,title=DS106 mutating-call::callback "
    )


def test_nothing_found_is_silent_and_the_status_is_0(app: pathlib.Path) -> None:
    result = run("store.py")
    assert (result.exit_code, result.output) == (0, "")


def test_what_the_settings_leave_out_is_not_reported(app: pathlib.Path) -> None:
    settings = (
        'ignore = ["DS106"]',
        'select = ["global-rebound"]',
        'exclude = ["app.py"]',
        'per-file-ignores = { "app.py" = ["DS1"] }',
    )
    for setting in settings:
        (app / "pyproject.toml").write_text(f"[tool.dash-stash]\n{setting}\n")
        assert run().exit_code == 0
    assert run("--select", "DS106").exit_code == 0  # the file's own setting still holds
    (app / "pyproject.toml").write_text("")
    assert run("--ignore", "mutating-call").exit_code == 0


@pytest.mark.parametrize(
    "setting",
    ['select = ["DS999"]', "ignore = 1", "fix = true", 'per-file-ignores = "x"', "select = [\n"],
)
def test_a_wrong_setting_is_a_wrong_usage(setting: str, app: pathlib.Path) -> None:
    (app / "pyproject.toml").write_text(f"[tool.dash-stash]\n{setting}\n")
    assert run().exit_code == 2


def test_a_wrong_code_or_path_is_a_wrong_usage(app: pathlib.Path) -> None:
    assert run("--select", "X1").exit_code == run("no-such-file.py").exit_code == 2


def test_a_rule_is_explained(app: pathlib.Path) -> None:
    assert run("--explain", "DS104").output.startswith(
        "DS104 item-assigned\n  A callback assigns items of X"
    )


def test_a_file_that_does_not_parse_makes_the_status_1(app: pathlib.Path) -> None:
    (app / "app.py").write_text("def (:\n")
    result = run()
    assert (result.exit_code, result.output) == (1, "app.py:1:1: cannot be read: invalid syntax\n")


def test_a_thousand_files_take_a_few_seconds(app: pathlib.Path) -> None:
    for number in range(500):
        (app / f"page{number}.py").write_text(_APP.replace("store", f"store{number}") * 20)
        (app / f"store{number}.py").write_text(_STORE)
    start = time.perf_counter()
    assert run().output.endswith("findings in 1002 files.\n")
    assert time.perf_counter() - start < 20  # a few seconds, and a machine that is busy
