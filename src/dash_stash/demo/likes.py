"""What both columns of part 0 show.

Drawn in the browser (assets/likes.js), so that only the answers come from the workers.
"""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Input, Output, State, clientside_callback, dcc, html

from dash_stash.demo.widgets import button, place, with_note


def like_button(prefix: str) -> Any:
    """Return a button to like, and a clock that asks for the number of likes again and again."""
    return html.Div(
        [
            with_note(
                button(f"{prefix}-like", "Like"), "One worker or another is asked twice a second."
            ),
            dcc.Interval(id=f"{prefix}-again", interval=500, max_intervals=600),
            dcc.Store(id=f"{prefix}-answer"),
            dcc.Store(id=f"{prefix}-seen"),
            place(f"{prefix}-list"),
        ],
    )


for _prefix in ("global-chapter", "global-stash"):
    clientside_callback(
        ClientsideFunction("gallery", "list_answers"),
        Output(f"{_prefix}-list", "children"),
        Output(f"{_prefix}-seen", "data"),
        Input(f"{_prefix}-answer", "data"),
        State(f"{_prefix}-like", "n_clicks"),
        State(f"{_prefix}-seen", "data"),
    )
