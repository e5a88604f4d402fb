"""Part 3 once more: several ask at once for a value that nobody has computed yet."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, callback, dcc, html

from dash_stash.demo.base import cache
from dash_stash.demo.chapter import cache_and_signal
from dash_stash.demo.measure import has_computed
from dash_stash.demo.stashed import cache_and_signal as our_cache_and_signal
from dash_stash.demo.widgets import button, loading, with_note

_ASKING = 4
_CARRIER = "9E"  # the page does not offer it, so that nobody else computes it meanwhile


def panel(prefix: str) -> Any:
    """Return the button, and a line for each of those who ask."""
    return html.Div(
        [
            with_note(
                button(f"{prefix}-crowd", "Four ask at once"),
                "for flights that nobody has computed yet",
            ),
            loading(
                dcc.Store(id=f"{prefix}-crowd-data"),
                *(
                    dmc.Text(id=f"{prefix}-asked-{i}", size="sm", mih=20, className="asked")
                    for i in range(_ASKING)
                ),
            ),
        ],
        className="crowd",
    )


def _register(
    prefix: str, flights: Callable[[str], object], forget: Callable[[str], object]
) -> None:
    @callback(
        Output(f"{prefix}-crowd-data", "data"),
        Input(f"{prefix}-crowd", "n_clicks"),
        prevent_initial_call=True,
    )
    def begin(clicks: int) -> int:
        forget(_CARRIER)
        return clicks

    def ask(_clicks: int) -> str:
        began = time.perf_counter()
        flights(_CARRIER)
        milliseconds = (time.perf_counter() - began) * 1000
        did = "computed it" if has_computed() else "was given it"
        return f"Worker {os.getpid()} {did}, {milliseconds:,.0f} ms"

    for i in range(_ASKING):
        callback(
            Output(f"{prefix}-asked-{i}", "children"),
            Input(f"{prefix}-crowd-data", "data"),
            prevent_initial_call=True,
        )(ask)


def _forget_cached(carrier: str) -> None:
    cache.delete_memoized(cache_and_signal.flights, carrier)


_register("signal-chapter", cache_and_signal.flights, _forget_cached)
_register("signal-stash", our_cache_and_signal.flights, our_cache_and_signal.flights.forget)
