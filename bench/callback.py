"""A callback that uses no reference, in an app with a Stash and in one without."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

from bench.report import Demand, Section
from bench.timing import Call, race
from dash_stash import Stash

_BODY = {
    "output": "out.children",
    "outputs": {"id": "out", "property": "children"},
    "inputs": [{"id": "in", "property": "value", "value": "text"}],
    "changedPropIds": ["in.value"],
}


def callback(folder: pathlib.Path, *, quick: bool) -> Iterator[Section]:
    """Yield what a Stash adds to the callback, for the same request."""
    headers: dict[str, str] = {}
    calls = {
        "with Stash": _client(folder / "callback", headers),
        "without": _client(None, headers),
        "without, again": _client(None, headers),
    }
    timed = race(calls, 300 if quick else 2000, repeat=2)
    more, nothing = (
        timed.difference("with Stash", "without"),
        timed.difference("without, again", "without"),
    )
    demand = Demand("more than without Stash", more * 1e6, 20, "µs")
    note = f"between two apps without Stash the same comparison gives {nothing * 1e6:.1f} µs"
    yield Section("A callback that uses no reference", [demand], timed.spreads(), [note])


def _client(folder: pathlib.Path | None, headers: dict[str, str]) -> Call:
    """Return a callback's request to a new app.

    The one with a Stash, in *folder*, notes in *headers* what a browser would send.
    """
    from dash import Dash, Input, Output, dcc, html

    app = Dash(
        __name__, use_async=False
    )  # which would run each callback in a new thread, where asgiref is installed
    app.layout = html.Div([dcc.Input(id="in"), html.Div(id="out")])
    if folder is not None:
        Stash(app, f"file://{folder}", secret="only for measuring")

    @app.callback(Output("out", "children"), Input("in", "value"))
    def show(text: str) -> str:
        return text

    client = app.server.test_client(use_cookies=False)
    page = client.get("/")
    if folder is not None:
        ids = re.search(r'data-ids="([^".]+\.[^".]+)', page.text)
        assert ids is not None
        headers["Cookie"] = page.headers["Set-Cookie"].partition(";")[0]
        headers["X-Dash-Stash"] = ids[1]
        headers["X-Dash-Stash-Key"] = client.post(
            "/_dash-update-component", json=_BODY, headers=headers
        ).headers["X-Dash-Stash-Key"]
    return lambda: client.post("/_dash-update-component", json=_BODY, headers=headers)
