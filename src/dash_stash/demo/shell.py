"""The frame of the gallery: navigation, light and dark, and the page with its two columns."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import dash
import dash_mantine_components as dmc
from dash import dcc, html

_METERS = {
    "bytes": ("Through the browser", "What this column's callbacks sent and received since the page was opened"),
    "runs": ("Computations", "How often its slow function ran, over all workers"),
    "time": ("Last action", "From the first request to the last answer"),
    "worker": ("Worker", "The process that answered last, and how many have answered so far"),
    "memory": ("Its memory", "Resident memory of that process"),
}


@dataclass(frozen=True)
class Chapter:
    """One page of the gallery."""

    page: str
    """Its path, and the first word of all ids on it."""

    number: int
    title: str
    short: str
    text: str
    chapter: ModuleType
    stash: ModuleType


def frame(chapters: list[Chapter]) -> Any:
    """Return the layout that all pages share."""
    return dmc.MantineProvider(
        dmc.AppShell(
            [
                dmc.AppShellHeader(_header(), px="md"),
                dmc.AppShellNavbar(_navigation(chapters), p="sm"),
                dmc.AppShellMain(dmc.Container(dash.page_container, size=1500, px={"base": 0, "sm": "md"})),
            ],
            header={"height": 56},
            navbar={"width": 250, "breakpoint": "sm", "collapsed": {"mobile": True}},
            padding="md",
            id="shell",
        ),
        theme={"primaryColor": "blue", "defaultRadius": "md", "fontFamily": "system-ui, sans-serif", "headings": {"fontWeight": "650"}},
        defaultColorScheme="auto",
    )


def _header() -> Any:
    return dmc.Group(
        [
            dmc.Group(
                [
                    dmc.Burger(id="burger", opened=False, hiddenFrom="sm", size="sm", **{"aria-label": "Open the navigation"}),
                    dcc.Link(dmc.Text("dash-stash", fw=700, fz="lg", c="var(--mantine-color-text)"), href="/", className="brand"),
                    dmc.Text("sharing data between callbacks", c="dimmed", visibleFrom="md"),
                ],
                gap="sm",
            ),
            dmc.ColorSchemeToggle(
                lightIcon=dmc.Text("☾", fz="lg"),
                darkIcon=dmc.Text("☀", fz="lg"),
                id="scheme",
                variant="default",
                size="lg",
                **{"aria-label": "Switch between light and dark"},
            ),
        ],
        justify="space-between",
        h="100%",
        wrap="nowrap",
    )


def _navigation(chapters: list[Chapter]) -> list[Any]:
    return [
        dmc.NavLink(label="Overview", href="/", active="exact", id="nav-overview"),
        *(
            dmc.NavLink(label=f"{chapter.number}  {chapter.short}", href=f"/{chapter.page}", active="exact", id=f"nav-{chapter.page}")
            for chapter in chapters
        ),
    ]


def overview(chapters: list[Chapter]) -> Any:
    """Return the first page."""
    return dmc.Stack(
        [
            dmc.Title("Sharing data between callbacks", order=1),
            dmc.Text(
                "A Dash callback must never change a variable outside its scope: other users would see it, other workers would not. "
                "The Dash guide shows four hand-built ways around that. Here each runs beside the dash-stash way: the same data "
                "(336,776 flights from New York in 2013, and the weather), the same work, four gunicorn workers, live counters.",
                maw=760,
            ),
            dmc.SimpleGrid([_card(chapter) for chapter in chapters], cols={"base": 1, "sm": 2, "lg": 3}, spacing="md"),
        ],
        gap="lg",
    )


def _card(chapter: Chapter) -> Any:
    return dcc.Link(
        dmc.Card(
            [
                dmc.Badge(f"Part {chapter.number}", variant="light"),
                dmc.Text(chapter.title, fw=600, mt="sm"),
                dmc.Text(chapter.text, fz="sm", c="dimmed", mt=4),
            ],
            withBorder=True,
            h="100%",
            className="card",
        ),
        href=f"/{chapter.page}",
        className="plain",
    )


def page(chapter: Chapter) -> Any:
    """Return a page with both ways of its part."""
    return dmc.Stack(
        [
            dmc.Group(
                [
                    dmc.Title(chapter.title, order=1, fz={"base": "h3", "sm": "h2"}),
                    dmc.Button("Start afresh", id=f"{chapter.page}-reset", variant="default", size="xs"),
                ],
                justify="space-between",
            ),
            dmc.Text(chapter.text, maw=860),
            dmc.SimpleGrid(
                [
                    _column(chapter.page, "chapter", "The chapter's way", "gray", chapter.chapter),
                    _column(chapter.page, "stash", "With dash-stash", "blue", chapter.stash),
                ],
                cols={"base": 1, "lg": 2},
                spacing="lg",
            ),
        ],
        gap="md",
    )


def _column(page: str, way: str, title: str, color: str, module: ModuleType) -> Any:
    prefix = f"{page}-{way}"
    return dmc.Card(
        [
            dmc.Group([dmc.Badge(title, color=color, variant="filled" if way == "stash" else "light", size="lg")], mb="sm"),
            _meters(prefix),
            html.Div(module.layout(), id=f"{prefix}-column", className="column"),
            dmc.Accordion(
                dmc.AccordionItem(
                    [
                        dmc.AccordionControl("The code that runs here", id=f"{prefix}-code"),
                        dmc.AccordionPanel(dmc.CodeHighlight(code=_source(module), language="python", withCopyButton=True)),
                    ],
                    value="code",
                ),
                value="code",
                variant="filled",
                mt="md",
            ),
        ],
        withBorder=True,
        padding="md",
        className="way",
    )


def _meters(prefix: str) -> Any:
    return dmc.Group(
        [
            dmc.Tooltip(
                html.Div(
                    [dmc.Text(label, fz="xs", c="dimmed"), dmc.Text("-", id=f"{prefix}-meter-{name}", fw=600, fz="sm", className="figure")],
                ),
                label=explained,
            )
            for name, (label, explained) in _METERS.items()
        ],
        gap="lg",
        mb="md",
        className="meters",
    )


def _source(module: ModuleType) -> str:
    """The text of the module that runs, without its docstring and the line for annotations."""
    text = inspect.getsource(module).removeprefix(f'"""{module.__doc__}"""').lstrip()
    return text.replace("from __future__ import annotations\n\n", "").strip()


def loading(*children: Any) -> Any:
    """Show that work runs while one of the children waits for its callback."""
    return dcc.Loading(
        list(children),
        type="dot",
        color="#228be6",
        delay_show=150,
        overlay_style={"visibility": "visible", "opacity": 0.35},
        parent_className="loading",
    )


def graph(identifier: str, height: int = 260) -> Any:
    """Return an empty graph."""
    return dcc.Graph(id=identifier, style={"height": height}, config={"displayModeBar": False, "responsive": True})


def table(rows: Any) -> Any:
    """Return a small table of a frame."""
    return dmc.TableScrollContainer(
        dmc.Table(
            data={"head": list(rows.columns), "body": rows.astype(str).to_numpy().tolist()},
            striped=True,
            fz="xs",
            verticalSpacing=4,
        ),
        minWidth=420,
        type="native",
    )
