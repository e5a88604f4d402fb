"""Importing dash_stash is light, and checking an app loads the linter alone."""

from __future__ import annotations

import ast
import pathlib
import subprocess
import sys

import pytest

import dash_stash
from support import run_python

HEAVY = (
    "dash",
    "flask",
    "plotly",
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "redis",
    "asgiref",
    "click",
)

_LOADED = f"print(*(name for name in {HEAVY} if name in sys.modules))"


@pytest.mark.parametrize("module", ["dash_stash", "dash_stash.cli"])
def test_importing_it_imports_no_heavy_library(module: str) -> None:
    allowed = "click" if module.endswith("cli") else ""
    assert run_python(f"import sys, {module}; {_LOADED}") == allowed


def test_a_stash_without_an_app_stores_plain_data_without_any_of_them(folder: object) -> None:
    code = f"""
    import sys
    from dash_stash import Stash
    stash = Stash(url="file://" + sys.argv[1])
    memo = stash.memo(lambda n: [n, {{"a": str(n)}}])
    assert memo(1) == memo(1) and stash.put(2, share=True).get() == 2
    stash.app["x"] = 1
    {_LOADED}
    """
    assert run_python(code, folder) == ""


def test_those_who_read_it_from_a_process_that_uses_pandas_do_not_pay_for_polars(
    folder: object,
) -> None:
    code = f"""
    import sys
    import pandas as pd
    from dash_stash import Stash
    stash = Stash(url="file://" + sys.argv[1])
    frame = stash.memo(lambda f: f.assign(b=1))
    assert frame(pd.DataFrame({{"a": [1, 2]}})).shape == (2, 2)
    {_LOADED}
    """
    assert "polars" not in run_python(code, folder).split()


def test_in_production_the_guard_is_not_even_imported(folder: object) -> None:
    code = """
    import sys
    from dash import Dash
    from dash_stash import Stash
    app = Dash("app")
    Stash(app, "file://" + sys.argv[1])
    print(*(name for name in sys.modules if "dash_stash.guard" in name or "watching" in name))
    """
    assert run_python(code, folder) == ""


def test_nothing_but_the_root_imports_the_stash_not_even_for_its_type() -> None:
    """What it puts together does not know it."""
    root = pathlib.Path(dash_stash.__file__).parent
    importers = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "dash_stash.stash"
    }
    assert importers == {"__init__.py"}


def test_checking_an_app_loads_neither_dash_nor_the_core(tmp_path: pathlib.Path) -> None:
    (tmp_path / "app.py").write_text("import dash, flask, pandas\n")
    code = f"""
    import sys
    from dash_stash.cli import main
    try:
        main(["check", sys.argv[1]])
    except SystemExit as end:
        assert end.code == 0
    own = [name.split(".")[1] for name in sys.modules if name.startswith("dash_stash.")]
    heavy = [name for name in {(*HEAVY, "xxhash", "sqlite3", "logging")} if name in sys.modules]
    print(*sorted({{*own, *heavy}}))
    """
    assert run_python(code, tmp_path).split() == ["cli", "click", "errors", "lint", "mutations"]


def test_the_root_has_each_of_its_names_and_no_other() -> None:
    assert dir(dash_stash) == sorted(dash_stash.__all__)
    for name in dash_stash.__all__:
        assert getattr(dash_stash, name).__name__ == name
    with pytest.raises(AttributeError, match="module 'dash_stash' has no attribute 'Stach'"):
        getattr(dash_stash, "Stach")  # noqa: B009 - mypy knows that it is not there


@pytest.mark.parametrize("name", ["Ref", "Memo", "RefExpired", "Session", "Stash"])
def test_a_pickle_that_names_a_class_by_the_root_is_read_in_a_fresh_process(name: str) -> None:
    written = f"cdash_stash\n{name}\n.".encode()
    assert run_python(f"import pickle; print(pickle.loads({written!r}).__name__)") == name


def test_a_stash_is_named_after_the_module_that_makes_it(
    tmp_path: pathlib.Path, folder: object
) -> None:
    (tmp_path / "shop.py").write_text(
        "import sys, dash_stash\nstash = dash_stash.Stash(url='file://' + sys.argv[1])\n"
    )
    code = "import shop; print(shop.stash.name)"
    own = {"PYTHONPATH": str(tmp_path), "DASH_STASH_NAME": ""}
    assert run_python(code, folder, **own).endswith("shop")


def test_the_package_runs_as_the_command_does() -> None:
    script = pathlib.Path(sys.executable).parent / "dash-stash"
    for arguments in (["--help"], ["check", "--help"], ["chek"]):
        command, package = (
            subprocess.run([*start, *arguments], capture_output=True, text=True, check=False)
            for start in ([str(script)], [sys.executable, "-m", "dash_stash"])
        )
        assert (command.returncode, command.stdout, command.stderr) == (
            package.returncode,
            package.stdout,
            package.stderr,
        )
        assert "Usage: dash-stash" in package.stdout + package.stderr
