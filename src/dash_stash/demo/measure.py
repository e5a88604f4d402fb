"""The counters of the gallery: computations over all workers here, bytes and milliseconds in the browser (assets/meter.js)."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import psutil
from flask import Flask, Response, request

from dash_stash.demo.base import stash

P = ParamSpec("P")
R = TypeVar("R")


def counted(column: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Count each run of a function, over all workers, for a column such as "frame-stash"."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            stash.app.modify(f"runs of {column}", lambda runs: runs + 1, default=0)
            return function(*args, **kwargs)

        return run

    return decorate


def reset(page: str) -> None:
    """Begin to count anew for both columns of a page."""
    for way in ("chapter", "stash"):
        stash.app.pop(f"runs of {page}-{way}", None)


def report(server: Flask) -> None:
    """Let every answer of a column's callback tell which worker gave it, how big that is, and how often the column computed."""

    def add_headers(response: Response) -> Response:
        if request.path.endswith("_dash-update-component") and request.method == "POST":
            column = _column(json.loads(request.get_data())["output"])
            response.headers["X-Worker"] = str(os.getpid())
            response.headers["X-Memory"] = str(psutil.Process().memory_info().rss)
            response.headers["X-Runs"] = str(stash.app.get(f"runs of {column}", 0))
        return response

    server.after_request(add_headers)


def _column(output: str) -> str:
    """The column of a callback, from the id of its first output: "..frame-stash-graph.figure..." is of "frame-stash"."""
    return "-".join(output.strip(".").split(".")[0].split("-")[:2])
