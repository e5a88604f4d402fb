"""Part 0 once more: what the linter and the guard say about the code of each column."""

from __future__ import annotations

import contextlib
import logging
import pathlib
from types import ModuleType
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, callback, html

from dash_stash import StashError
from dash_stash.demo.base import stash
from dash_stash.demo.chapter import global_variable
from dash_stash.demo.stashed import global_variable as our_global_variable
from dash_stash.guard.report import SharedChange
from dash_stash.lint.check import check
from dash_stash.lint.report import config, output

_MODULES = {"global-chapter": global_variable, "global-stash": our_global_variable}


def _keep(record: logging.LogRecord) -> bool:
    """Keep the guard's last report on each module, for all workers."""
    for change in record.args if isinstance(record.args, tuple) else ():
        if isinstance(change, SharedChange):
            with contextlib.suppress(StashError):
                stash.app[_name(change.line.file)] = str(change)
    return True


def _name(file: str | None) -> str:
    return f"report on {file}"


def panel(prefix: str) -> Any:
    """Return what both say about a column."""
    return html.Div(
        [
            dmc.Text("dash-stash check, before it runs:", size="xs", c="dimmed", mt="xs"),
            dmc.Code(
                _checked(_MODULES[prefix]), block=True, id=f"{prefix}-checked", className="report"
            ),
            dmc.Text("The guard, while it runs:", size="xs", c="dimmed", mt="xs"),
            dmc.Code(
                "Nobody has pressed Like.", block=True, id=f"{prefix}-guarded", className="report"
            ),
        ],
    )


def _checked(module: ModuleType) -> str:
    file = pathlib.Path(str(module.__file__))
    text = output.FORMATS["text"](check([file], config.load(file, "", "")))
    return text.replace(f"{file.parent}/", "") or "Nothing is wrong."


def _register(prefix: str, module: ModuleType) -> None:
    @callback(
        Output(f"{prefix}-guarded", "children"),
        Input(f"{prefix}-answer", "data"),
        prevent_initial_call=True,
    )
    def tell(answer: dict[str, int] | None) -> str:
        report = stash.app.get(_name(module.__file__))
        if report is not None:
            return str(report).replace(f"{pathlib.Path(str(module.__file__)).parent}/", "")
        return (
            "Nothing outside of the callback has changed."
            if answer and answer["likes"]
            else "Nobody has pressed Like."
        )


for _prefix, _module in _MODULES.items():
    _register(_prefix, _module)

# No handler: with one, Flask would not print the errors of the gallery itself.
logging.getLogger("dash_stash").addFilter(_keep)
