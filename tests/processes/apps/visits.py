"""An app that counts in each scope, and can be logged out of."""

from __future__ import annotations

import os
from typing import Any

from dash import Dash, Input, Output, html

from dash_stash import Stash

app = Dash(__name__)
stash = Stash(
    app,
    f"file://{os.environ['STASH_TEST_FOLDER']}",
    cross_site="STASH_TEST_CROSS_SITE" in os.environ,
)
SCOPES = (
    "page",
    "tab",
    "session",
    "app",
)  # on a page without a session the first one fails, and nothing is counted
app.layout = html.Div(
    [
        html.Button("count", id="count"),
        html.Button("count for all", id="count-all"),
        html.Button("log out", id="logout"),
        html.Div(id="counts"),
        html.Div(id="all"),
        html.Div(id="said"),
    ],
)


@app.callback(Output("counts", "children"), Input("count", "n_clicks"), prevent_initial_call=True)
def count(_: int) -> str:
    """Count one more in every scope."""
    counts: list[Any] = [
        getattr(stash, scope).modify("n", lambda n: n + 1, default=0) for scope in SCOPES
    ]
    return " ".join(f"{scope}:{count}" for scope, count in zip(SCOPES, counts, strict=True))


@app.callback(Output("all", "children"), Input("count-all", "n_clicks"), prevent_initial_call=True)
def count_for_all(clicks: int) -> str:
    """Count without a session, and compute once for all."""
    count = stash.app.modify("all", lambda n: n + 1, default=0)
    return f"clicks:{clicks} app:{count} memo:{_doubled(21)}"


@stash.memo
def _doubled(n: int) -> int:
    return 2 * n


@app.callback(Output("said", "children"), Input("logout", "n_clicks"), prevent_initial_call=True)
def log_out(_: int) -> str:
    """End the session."""
    stash.session.clear()
    return "logged out"


server = app.server
server.test_client().get(
    "/"
)  # the first page of a worker races with its bundles (plotly/dash 3971)
