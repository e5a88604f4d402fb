"""The counters of the gallery: what only the server knows here, bytes and milliseconds in the browser (assets/meter.js)."""

from __future__ import annotations

import os
from contextvars import ContextVar
from dataclasses import dataclass

import psutil
from flask import Flask, Response, request

from dash_stash.demo.base import stash


@dataclass
class _Answer:
    """The answer to a callback that is being made: for which column, and whether a slow function ran for it."""

    column: str
    has_computed: bool = False


# Not in `flask.g`, which a memo function for everybody does not see, as it does not see the
# request.
_answer: ContextVar[_Answer | None] = ContextVar("gallery_answer", default=None)


def count_run() -> None:
    """Note that a slow function runs for the column whose callback is being answered.

    Counted over all workers.
    """
    answer = _answer.get()
    if answer is not None:
        answer.has_computed = True
        stash.app.modify(_counter(answer.column), lambda runs: runs + 1, default=0)


def has_computed() -> bool:
    """Whether a slow function ran for the request that is being answered."""
    answer = _answer.get()
    return answer is not None and answer.has_computed


def reset(page: str) -> None:
    """Begin to count anew for both columns of a page."""
    for way in ("chapter", "stash"):
        stash.app.pop(_counter(f"{page}-{way}"), None)


def report(server: Flask) -> None:
    """Let every answer to a callback tell which worker gave it, how big that is, and how often the column has computed."""

    def begin() -> None:
        is_callback = request.path.endswith("/_dash-update-component") and request.method == "POST"
        _answer.set(_Answer(_column()) if is_callback else None)

    def add_headers(response: Response) -> Response:
        answer = _answer.get()
        if answer is not None:
            response.headers["X-Worker"] = str(os.getpid())
            response.headers["X-Memory"] = str(psutil.Process().memory_info().rss)
            response.headers["X-Runs"] = str(stash.app.get(_counter(answer.column), 0))
        return response

    server.before_request(begin)
    server.after_request(add_headers)


def _counter(column: str) -> str:
    return f"runs of {column}"


def _column() -> str:
    """The column that a callback belongs to, from its first output: "..frame-stash-graph.figure..." is of "frame-stash"."""
    output: str = request.get_json()["output"]
    return "-".join(output.strip(".").split(".")[0].split("-")[:2])
