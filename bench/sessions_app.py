"""The app of `bench.sessions`, for gunicorn: each session keeps a text, and finds it again."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from dash import Dash, Input, Output, dcc, html

from dash_stash import Stash

# Each reference that is tried in another session is a warning.
logging.getLogger("dash_stash").setLevel(logging.ERROR)

app = Dash(__name__, use_async=False)
app.layout = html.Div(
    [
        dcc.Store(id=name)
        for name in ("keep", "kept", "look", "found", "put", "ref", "opened", "go", "gone")
    ]
)
stash = Stash(
    app,
    secret="only for measuring",
    max_bytes=int(os.environ["BENCH_MAX_BYTES"]),
    max_sessions=int(os.environ["BENCH_MAX_SESSIONS"]),
    idle=os.environ["BENCH_IDLE"],
)


def _text(token: str, size: int) -> str:
    return token * (size // len(token))


@app.callback(Output("kept", "data"), Input("keep", "data"))
def keep(asked: list[Any]) -> bool:
    """Keep a text that repeats the token, under a name."""
    name, token, size = asked
    stash.session[name] = _text(token, size)
    return True


@app.callback(Output("found", "data"), Input("look", "data"))
def look(asked: list[Any]) -> list[Any]:
    """Return the token that is kept, the seconds that reading took, and the worker.

    The token is None if nothing is kept, "?" if it is mixed up.
    """
    name, size = asked
    began = time.perf_counter()
    kept: Any = stash.session.get(name)
    took = time.perf_counter() - began
    token = "" if kept is None else kept[:32]
    return [
        None if kept is None else token if kept == _text(token, size) else "?",
        took,
        os.getpid(),
    ]


@app.callback(Output("ref", "data"), Input("put", "data"))
def put(token: str) -> str:
    """Store *token* and return a reference to it."""
    return stash.put({"token": token})


@app.callback(Output("opened", "data"), Input("ref", "data"))
def opened(value: object) -> object:
    """Return what a reference opens."""
    return value


@app.callback(Output("gone", "data"), Input("go", "data"))
def log_out(_: object) -> bool:
    """End the session."""
    stash.session.clear()
    return True


server = app.server
server.test_client().get("/")
