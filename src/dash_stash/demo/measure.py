"""The server's part of the gallery's counters: workers, memory and computations.

The browser counts bytes and milliseconds itself (assets/meter.js).
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from dataclasses import dataclass

import psutil
from flask import Flask, Response, request

from dash_stash.demo.base import stash


@dataclass
class _Answer:
    """The answer to a callback: for which column, and whether a slow function ran for it."""

    column: str
    has_computed: bool = False


# Not in `flask.g`: a memo function for everybody sees neither that nor the request.
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
    """Tell whether a slow function ran for the request that is being answered."""
    answer = _answer.get()
    return answer is not None and answer.has_computed


def reset(page: str) -> None:
    """Set the counters of both columns of a page to zero."""
    for way in ("chapter", "stash"):
        stash.app.pop(_counter(f"{page}-{way}"), None)


def report(server: Flask) -> None:
    """Add to each answer the worker, its memory, and how often the column has computed."""

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
    """Return the column of the callback that is asked for, by its first output.

    "..frame-stash-graph.figure..." is an output of "frame-stash".
    """
    output: str = request.get_json()["output"]
    return "-".join(output.strip(".").split(".")[0].split("-")[:2])
