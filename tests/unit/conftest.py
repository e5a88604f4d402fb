"""What the unit tests share: an app, a note of calls, and apps that are written into files."""

from __future__ import annotations

import importlib
import pathlib
import sys
import types
from collections.abc import Iterator

import pytest
from dash import Dash, dcc, html

from dash_stash import implementation
from unit.counting import Calls
from unit.deploying import Deploy, Files, write


@pytest.fixture
def app() -> Dash:
    made = Dash(__name__)
    made.server.secret_key = "a secret for the tests only"
    made.layout = html.Div([dcc.Store(id="out"), dcc.Store(id="signal")])
    return made


@pytest.fixture
def calls() -> Calls:
    """Note what a function is called with."""
    return Calls()


@pytest.fixture
def deploy(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploy]:
    """Write an app into a folder of its own, import it, and return its function `f`."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    deployed = 0

    def forget() -> None:
        for name in set(sys.modules) - before:
            if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]

    def load(files: Files, module: str = "app") -> types.FunctionType:
        nonlocal deployed
        forget()
        deployed += 1
        folder = tmp_path / f"release{deployed}"
        write(folder, files)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(folder))
            function: types.FunctionType = importlib.import_module(module).f
            implementation.of_function(function)
        return function

    yield load
    forget()
