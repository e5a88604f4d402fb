"""A page with its two columns: what runs, what it costs, and its code."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from dash_stash.demo.chapters import Chapter, Way

# What assets/meter.js fills in: a number, and a note below it.
_METERS = {
    "bytes": ("Browser traffic", ""),
    "runs": ("Computations", "all workers"),
    "time": ("Last action", ""),
    "worker": ("Worker", ""),
    "memory": ("Its memory", "resident"),
}


def page(chapter: Chapter, following: Chapter | None) -> Any:
    """Return a page with both ways of its part, and the way to the next."""
    return dmc.Stack(
        [
            dmc.Group(
                [
                    dmc.Title(chapter.title, order=1, fz={"base": 22, "sm": 28}),
                    dmc.Button(
                        "Start afresh", id=f"{chapter.page}-reset", variant="default", size="xs"
                    ),
                ],
                justify="space-between",
            ),
            dmc.Text(f"{chapter.gist} {chapter.text}", maw=860, c="dimmed"),
            dmc.SimpleGrid(
                [
                    _column(chapter, "chapter", "The chapter's way", chapter.chapter),
                    _column(chapter, "stash", "dash-stash", chapter.stash),
                ],
                cols={"base": 1, "md": 2},
                spacing="md",
                mt="xs",
            ),
            dcc.Link(f"Next: {following.title}", href=f"/{following.page}", className="next")
            if following
            else None,
        ],
        gap="xs",
    )


def _column(chapter: Chapter, which: str, title: str, way: Way) -> Any:
    prefix = f"{chapter.page}-{which}"
    return dmc.Card(
        [
            dmc.Group(
                [
                    dmc.Title(title, order=2, fz="md", className=f"way-{which}"),
                    dmc.Text(way.summary, size="sm", c="dimmed"),
                ],
                gap="xs",
                mb="sm",
            ),
            _meters(prefix, set() if chapter.has_query else {"runs"}),
            html.Div(
                [html.Div(way.module.layout()), chapter.more and chapter.more(prefix)],
                id=f"{prefix}-column",
                className="column",
            ),
            _code(prefix, way.module),
        ],
        withBorder=True,
        padding="md",
        className=f"way {which}",
    )


def _meters(prefix: str, without: set[str]) -> Any:
    return html.Dl(
        [
            html.Div(
                [
                    html.Dt(label),
                    html.Dd("-", id=f"{prefix}-meter-{name}", className="figure"),
                    html.Dd(note, id=f"{prefix}-meter-{name}-note", className="note"),
                ],
            )
            for name, (label, note) in _METERS.items()
            if name not in without
        ],
        className="meters",
    )


def _code(prefix: str, module: ModuleType) -> Any:
    return dmc.Accordion(
        dmc.AccordionItem(
            [
                dmc.AccordionControl("The code that runs here", id=f"{prefix}-code", fz="sm"),
                dmc.AccordionPanel(
                    dmc.CodeHighlight(code=source(module), language="python", withCopyButton=True)
                ),
            ],
            value="code",
        ),
        value="code",
        variant="default",
        className="code",
    )


def source(module: ModuleType) -> str:
    """Return the source of a module, without its docstring and the line for annotations."""
    text = inspect.getsource(module).removeprefix(f'"""{module.__doc__}"""').lstrip()
    return text.replace("from __future__ import annotations\n\n", "").strip()
