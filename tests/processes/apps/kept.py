"""An app whose pages keep references in the browser: in stores of each type, and as typed text."""

from __future__ import annotations

import os
import pathlib
import time
from typing import Any

from dash import Dash, Input, Output, State, dcc, html

from dash_stash import Stash

PLACES: dict[str, Any] = {
    "local": "local",
    "session": "session",
    "memory": "memory",
    "pattern": {"kind": "note", "n": 1},
}
app = Dash(__name__)
FOLDER = pathlib.Path(os.environ["STASH_TEST_FOLDER"])


def now() -> float:
    """Return the time plus the seconds that a test has written to the file `later`."""
    later = FOLDER.parent / "later"
    return time.time() + (float(later.read_text()) if later.exists() else 0)


stash = Stash(app, FOLDER.as_uri(), clock=now)
app.layout = html.Div(
    [
        *(
            dcc.Store(id=place, storage_type=name if name != "pattern" else "local")
            for name, place in PLACES.items()
        ),
        *(html.Button(f"put {name}", id=f"put-{name}") for name in PLACES),
        dcc.Input(id="typed", persistence=True, persistence_type="local", debounce=True),
        *(html.Button(name, id=name) for name in ("expire", "log out", "log in", "ask", "nest")),
        *(html.P(id=f"shown-{name}") for name in (*PLACES, "typed")),
        *(html.P(id=f"said-{name}") for name in ("out", "in", "ask", "expire")),
    ]
)


def _keep(name: str, place: Any) -> None:
    @app.callback(
        Output(place, "data", allow_duplicate=True),
        Input(f"put-{name}", "n_clicks"),
        prevent_initial_call=True,
    )
    def put(_: int) -> Any:
        return stash.put("value")

    @app.callback(Output(f"shown-{name}", "children"), Input(place, "data"))
    def show(value: Any) -> str:
        return f"{name}: {value}"


for name, place in PLACES.items():
    _keep(name, place)


@app.callback(
    Output("local", "data", allow_duplicate=True),
    Input("nest", "n_clicks"),
    prevent_initial_call=True,
)
def nest(_: int) -> Any:
    """Keep references among other values; two of them soon open nothing."""
    return {
        "good": stash.put("value"),
        "bad": [stash.put("value", ttl=0.001), 1],
        "worse": stash.put("value", ttl=0.001),
        "rest": "text",
    }


@app.callback(
    Output("said-expire", "children"), Input("expire", "n_clicks"), prevent_initial_call=True
)
def expire(_: int) -> str:
    """Delete all that the session has put."""
    for listed in stash._deployment.store.list(kind="put"):
        stash._deployment.store.delete(listed.key)
    return "expired"


@app.callback(Output("shown-typed", "children"), Input("typed", "value"))
def show_typed(value: Any) -> str:
    """Show what was typed, or the value if it is a reference."""
    return f"typed: {value}"


@app.callback(
    Output("said-out", "children"), Input("log out", "n_clicks"), prevent_initial_call=True
)
def log_out(_: int) -> str:
    """End the session."""
    stash.session.clear()
    return "logged out"


@app.callback(Output("said-in", "children"), Input("log in", "n_clicks"), prevent_initial_call=True)
def log_in(_: int) -> str:
    """Give the browser another cookie, and answer when the test lets it."""
    stash.session["user"] = "ann"
    stash.session.rotate()
    with (FOLDER.parent / "login").open() as pipe:
        pipe.read()
    return "logged in"


@app.callback(
    Output("said-ask", "children"),
    Input("ask", "n_clicks"),
    State("local", "data"),
    prevent_initial_call=True,
)
def ask(clicks: int, kept: Any) -> str:
    """Return the user's name, and write down that it was asked for."""
    with (FOLDER.parent / "asked").open("a") as log:
        log.write(f"{clicks}\n")
    return f"{clicks}: {stash.session.get('user')}"


@app.server.route("/visits")
def visits() -> str:
    """Count the requests of a tab."""
    return str(stash.tab.modify("visits", lambda n: n + 1, default=0))


server = app.server
server.test_client().get(
    "/"
)  # the first page of a worker races with its bundles (plotly/dash 3971)
