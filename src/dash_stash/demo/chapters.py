"""The parts of the chapter, in its order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from dash_stash.demo import crowd, measure, watching
from dash_stash.demo.base import cache, stash
from dash_stash.demo.chapter import (
    aggregates,
    cache_and_signal,
    cleaned_frame,
    global_variable,
    session_data,
)
from dash_stash.demo.stashed import aggregates as our_aggregates
from dash_stash.demo.stashed import cache_and_signal as our_cache_and_signal
from dash_stash.demo.stashed import cleaned_frame as our_cleaned_frame
from dash_stash.demo.stashed import global_variable as our_global_variable
from dash_stash.demo.stashed import session_data as our_session_data


@dataclass(frozen=True, kw_only=True)
class Way:
    """One column of a page: a module with its callbacks and its layout."""

    module: ModuleType
    summary: str
    forget: Callable[[], object]
    """Forgets what the module has stored, so that it does its work again."""


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """One page of the gallery."""

    page: str
    """Its path, and the first word of all ids on it."""

    number: int
    title: str
    short: str
    gist: str
    """What it is about, in one sentence."""

    text: str
    """What differs left and right, and what to try."""

    chapter: Way
    stash: Way
    has_query: bool = True
    more: Callable[[str], Any] | None = None
    """Makes what a column shows below its layout, from the column's prefix."""

    def start_afresh(self) -> None:
        """Forget what both columns have stored and counted."""
        measure.reset(self.page)
        self.chapter.forget()
        self.stash.forget()


def _nothing() -> None:
    """Forget nothing: the data, or the id that leads to it, is in the browser.

    In part 0 it is in other workers, out of reach.
    """


CHAPTERS = [
    Chapter(
        page="global",
        number=0,
        title="The global variable that goes wrong",
        short="The global variable",
        gist="Likes are counted in a variable of the module; each worker process has its own, "
        "so the number depends on who answers.",
        text="Press Like a few times on either side, and watch what the workers say, "
        "and who notices that something is wrong.",
        chapter=Way(
            module=global_variable, summary="What it warns of: a global variable", forget=_nothing
        ),
        stash=Way(
            module=our_global_variable,
            summary="A variable of the app in the stash",
            forget=lambda: stash.app.pop("likes", None),
        ),
        has_query=False,
        more=watching.panel,
    ),
    Chapter(
        page="frame",
        number=1,
        title="A cleaned frame for a graph and a table",
        short="A cleaned frame",
        gist="A slow query returns a year of weather, which a graph and a table show "
        "in °F or °C; another unit needs no new query.",
        text="The chapter sends the frame to the browser as JSON, and back for each of them; "
        "dash-stash sends a reference, 72 characters.",
        chapter=Way(
            module=cleaned_frame, summary="The frame as JSON in the browser", forget=_nothing
        ),
        stash=Way(
            module=our_cleaned_frame,
            summary="A reference to the frame",
            forget=our_cleaned_frame.cleaned.forget,
        ),
    ),
    Chapter(
        page="parts",
        number=2,
        title="Aggregates computed ahead",
        short="Computed ahead",
        gist="One slow query, three aggregates, and each of three graphs needs only its own.",
        text="The chapter sends all of them to the browser, and back for each graph; "
        "dash-stash sends each graph a reference to its part.",
        chapter=Way(
            module=aggregates, summary="All aggregates as JSON in the browser", forget=_nothing
        ),
        stash=Way(
            module=our_aggregates,
            summary="A reference to each part",
            forget=our_aggregates.parts.forget,
        ),
    ),
    Chapter(
        page="signal",
        number=3,
        title="Cache and signal: four graphs, one computation",
        short="Cache and signal",
        gist="A slow query runs first, then a signal wakes four graphs, "
        "and any worker may draw them.",
        text="The chapter needs the signal, because its cache lets all who ask at once compute. "
        "With dash-stash the reference is the signal, and all who ask at once "
        "get what one of them computes.",
        chapter=Way(
            module=cache_and_signal,
            summary="Flask-Caching's files, and a signal",
            forget=lambda: cache.delete_memoized(cache_and_signal.flights),
        ),
        stash=Way(
            module=our_cache_and_signal,
            summary="A reference as the signal",
            forget=our_cache_and_signal.flights.forget,
        ),
        more=crowd.panel,
    ),
    Chapter(
        page="session",
        number=4,
        title="Data of one session",
        short="Data of one session",
        gist="Get data draws 20 flights at random for you, once.",
        text="Now reload the page, or open it in a private window: the chapter's id is in the "
        "page and is new at each load; with dash-stash your session keeps its data, and no other "
        "browser can see it.",
        chapter=Way(module=session_data, summary="An id in a hidden Div", forget=_nothing),
        stash=Way(
            module=our_session_data,
            summary="A memo of scope session",
            forget=our_session_data.sample.forget,
        ),
    ),
]
