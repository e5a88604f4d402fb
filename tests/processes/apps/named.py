"""An app that is run as a script by one process and imported by another."""

from __future__ import annotations

import json
import os
import pathlib
from dataclasses import dataclass

from dash import Dash

from dash_stash import Stash

folder = pathlib.Path(os.environ["STASH_TEST_FOLDER"])
app = Dash(__name__)
stash = Stash(app)
server = app.server

with (folder / f"imports of {os.getpid()}").open("a") as log:
    log.write("once\n")


@dataclass
class Point:
    """A class of the app's own."""

    x: int


@stash.memo
def point() -> Point:
    with (folder / "computed").open("a") as log:
        log.write("once\n")
    return Point(1)


def report() -> None:
    """Print what this process gets, and how often it imported the app."""
    value = point()
    imports = len((folder / f"imports of {os.getpid()}").read_text().splitlines())
    print(
        json.dumps({"x": value.x, "is its own class": isinstance(value, Point), "imports": imports})
    )


if __name__ == "__main__":
    report()
