"""What surrounds the pages of the gallery, and its first page."""

from __future__ import annotations

from typing import Any

import dash
import dash_mantine_components as dmc
from dash import dcc, html

from dash_stash.demo.chapters import Chapter

_COUNTERS = {
    "Browser traffic": "bytes that a column's callbacks have sent and received "
    "since the page was opened",
    "Computations": "how often its slow query has run, over all workers",
    "Last action": "from the first request that an action caused to the last answer",
    "Worker": "the process that answered last; each answer may come from another",
    "Its memory": "resident memory of that process",
}

_THEME = {
    "primaryColor": "indigo",
    "defaultRadius": "md",
    "fontFamily": "Inter, ui-sans-serif, system-ui, sans-serif",
    "fontFamilyMonospace": "ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace",
    "colors": {
        "dark": [
            "#e3e5ec",
            "#c3c7d2",
            "#a0a6b6",
            "#6b7183",
            "#3a3e4b",
            "#2b2e38",
            "#20232b",
            "#1a1c22",
            "#14161b",
            "#0f1014",
        ]
    },
    "headings": {"fontWeight": "650"},
}


def around_pages(chapters: list[Chapter]) -> Any:
    """Return the layout that all pages share."""
    return dmc.MantineProvider(
        dmc.AppShell(
            [
                dmc.AppShellHeader(_header(), px="md"),
                dmc.AppShellNavbar(_navigation(chapters), p="sm", **{"aria-label": "Parts"}),
                dmc.AppShellMain(
                    dmc.Container(
                        dash.page_container,
                        size=1440,
                        px={"base": 0, "sm": "xs"},
                        py={"base": 0, "sm": "xs"},
                    )
                ),
            ],
            header={"height": 56},
            navbar={"width": 232, "breakpoint": "sm", "collapsed": {"mobile": True}},
            padding="md",
            id="shell",
        ),
        theme=_THEME,
        defaultColorScheme="auto",
    )


def _header() -> Any:
    brand = [
        html.Img(src="/assets/logo.svg", alt="", width=26, height=26),
        dmc.Text("dash-stash", fw=700, fz="lg"),
    ]
    return dmc.Group(
        [
            dmc.Group(
                [
                    dmc.Burger(
                        id="burger",
                        opened=False,
                        hiddenFrom="sm",
                        size="sm",
                        **{"aria-label": "Navigation"},
                    ),
                    dcc.Link(
                        dmc.Group(brand, gap="xs", wrap="nowrap"), href="/", className="plain brand"
                    ),
                    dmc.Text(
                        "Sharing data between callbacks", c="dimmed", size="sm", visibleFrom="sm"
                    ),
                ],
                gap="md",
            ),
            dmc.ColorSchemeToggle(
                lightIcon=html.Span(className="icon moon"),
                darkIcon=html.Span(className="icon sun"),
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
        dmc.NavLink(label="Overview", href="/", active="exact", id="nav-overview", className="nav"),
        *(
            dmc.NavLink(
                label=chapter.short,
                leftSection=html.Span(str(chapter.number), className="number"),
                href=f"/{chapter.page}",
                active="exact",
                id=f"nav-{chapter.page}",
                className="nav",
            )
            for chapter in chapters
        ),
    ]


def overview(chapters: list[Chapter]) -> Any:
    """Return the first page."""
    return dmc.Stack(
        [
            dmc.Title("Sharing data between callbacks", order=1, fz={"base": 26, "sm": 34}),
            dmc.Text(
                "A Dash callback must never change a variable outside its scope: other users "
                "would see it, and other workers would not. The Dash guide's chapter on sharing "
                "data shows what to do instead, by hand. Here each of its parts runs beside the "
                "same with dash-stash: on 336,776 flights that left New York in 2013 and the "
                "weather there, under four gunicorn workers, with the code that runs, and "
                "counters that measure it.",
                maw=780,
                c="dimmed",
            ),
            dmc.SimpleGrid(
                [*(_card(chapter) for chapter in chapters), _legend()],
                cols={"base": 1, "sm": 2, "lg": 3},
                spacing="md",
                mt="xs",
            ),
        ],
        gap="sm",
    )


def _card(chapter: Chapter) -> Any:
    return dcc.Link(
        dmc.Card(
            [
                html.Span(str(chapter.number), className="number"),
                dmc.Text(chapter.title, fw=600, mt="sm", lh=1.35),
                dmc.Text(chapter.gist, size="sm", c="dimmed", mt=4),
                dmc.Text(
                    chapter.chapter.summary, size="sm", mt="auto", pt="sm", className="way-chapter"
                ),
                dmc.Text(chapter.stash.summary, size="sm", mt=4, className="way-stash"),
            ],
            withBorder=True,
            h="100%",
            className="card",
        ),
        href=f"/{chapter.page}",
        className="plain",
    )


def _legend() -> Any:
    return dmc.Card(
        [
            dmc.Text("The counters", fw=600, mb="xs"),
            *(
                dmc.Text(
                    [dmc.Text(name, span=True, fw=500), f": {meaning}."], size="xs", c="dimmed"
                )
                for name, meaning in _COUNTERS.items()
            ),
        ],
        withBorder=True,
        h="100%",
        className="legend",
    )
