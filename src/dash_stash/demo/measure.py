"""The counters of the gallery: what only the server knows here, bytes and milliseconds in the browser (assets/meter.js)."""

from __future__ import annotations

import os

import psutil
from flask import Flask, Response, g, request

from dash_stash.demo.base import stash


def count_run() -> None:
    """Note that a slow function runs for the column whose callback is being answered; counted over all workers."""
    g.has_computed = True
    stash.app.modify(_counter(g.column), lambda runs: runs + 1, default=0)


def has_computed() -> bool:
    """Whether a slow function ran for the request that is being answered."""
    return bool(g.get("has_computed"))


def reset(page: str) -> None:
    """Begin to count anew for both columns of a page."""
    for way in ("chapter", "stash"):
        stash.app.pop(_counter(f"{page}-{way}"), None)


def report(server: Flask) -> None:
    """Let every answer to a callback tell which worker gave it, how big that is, and how often the column has computed."""

    def note_column() -> None:
        # Here, since a memo function for everybody does not see the request.
        if request.path.endswith("/_dash-update-component") and request.method == "POST":
            g.column = _column()

    def add_headers(response: Response) -> Response:
        if "column" in g:
            response.headers["X-Worker"] = str(os.getpid())
            response.headers["X-Memory"] = str(psutil.Process().memory_info().rss)
            response.headers["X-Runs"] = str(stash.app.get(_counter(g.column), 0))
        return response

    server.before_request(note_column)
    server.after_request(add_headers)


def _counter(column: str) -> str:
    return f"runs of {column}"


def _column() -> str:
    """The column that a callback belongs to, from its first output: "..frame-stash-graph.figure..." is of "frame-stash"."""
    output: str = request.get_json()["output"]
    return "-".join(output.strip(".").split(".")[0].split("-")[:2])
