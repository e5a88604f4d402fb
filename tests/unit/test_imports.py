"""Importing dash_stash is light."""

from __future__ import annotations

import ast
import pathlib

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
    print(*(name for name in sys.modules if name.startswith("dash_stash.guard") or name.endswith("watching")))
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
