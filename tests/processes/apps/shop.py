"""A Dash app whose callbacks do what the tests want to see, under a real server.

It logs to files in its folder.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import pathlib
import time

import numpy as np
import pandas as pd
from dash import Dash, Input, Output, dcc, html

from dash_stash import Ref, Stash

folder = pathlib.Path(os.environ["STASH_TEST_FOLDER"])
app = Dash(__name__)
stash = Stash(app, f"file://{folder}/stash")
server = app.server
app.layout = html.Div([dcc.Store(id="signal"), html.Div(id="out")])


def log(name: str, text: object) -> None:
    with (folder / name).open("a") as file:
        file.write(f"{text}\n")


def wait_for(name: str) -> None:
    while not (folder / name).exists():
        time.sleep(0.005)


@stash.memo
def sales(region: str) -> pd.DataFrame:
    """Slow: takes until the file `go` is there."""
    log("computed", f"{os.getpid()} {region}")
    wait_for("go")
    return pd.DataFrame({"region": region, "amount": np.arange(100_000)})


@stash.memo
def failing(key: str) -> int:
    log("failed", f"{os.getpid()} {key}")
    wait_for("go")
    raise ValueError(f"no such key: {key}")


def _stay() -> None:
    wait_for("never")


@stash.memo
def forking(how: str) -> str:
    """Leave a child behind that lives on, then never return."""
    log("computed", f"{os.getpid()} {how}")
    if not (folder / "forked").exists():
        if how == "fork":
            child = os.fork()
            if not child:
                _stay()
        else:
            process = multiprocessing.get_context("fork").Process(target=_stay)
            process.start()
            child = process.pid or 0
        log("children", child)
        (folder / "forked").touch()
        wait_for("never")
    return "done"


@app.callback(Output("signal", "data"), Input("region", "value"))
def compute(region: str) -> Ref[pd.DataFrame]:
    return sales.ref(region)


@app.callback(Output("out", "children"), Input("signal", "data"))
def draw(frame: pd.DataFrame) -> str:
    return json.dumps(
        {"pid": os.getpid(), "region": frame["region"].iloc[0], "total": int(frame["amount"].sum())}
    )


@app.callback(Output("failed", "children"), Input("key", "value"))
def fail(key: str) -> str:
    try:
        return str(failing(key))
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


@app.callback(Output("forked", "children"), Input("how", "value"))
def fork(how: str) -> str:
    return forking(how)


@app.callback(Output("put", "data"), Input("mine", "value"))
def put(mine: str) -> Ref[dict[str, str]]:
    return stash.put({"mine": mine})


@app.callback(Output("opened", "children"), Input("put", "data"))
def opened(value: object) -> str:
    log("opened", value)
    return json.dumps(value)


@app.callback(Output("session", "children"), Input("name", "value"))
def session(name: str | None) -> str:
    if name:
        stash.session["name"] = name
        stash.page["name"] = name
    return json.dumps(
        {"pid": os.getpid(), "session": stash.session.get("name"), "page": stash.page.get("name")}
    )


@app.callback(Output("clicks", "children"), Input("button", "n_clicks"))
def click(_clicks: int) -> str:
    return json.dumps(
        {"pid": os.getpid(), "clicks": stash.session.modify("clicks", lambda n: n + 1, default=0)}
    )


@stash.memo
def everything() -> dict[str, object]:
    frame = pd.DataFrame({"a": np.arange(20_000.0), "b": ["x", "y"] * 10_000})
    return {
        "frame": frame,
        "array": np.zeros(20_000),
        "small": np.zeros(3),
        "dict": {"list": [1, 2, 3]},
        "list": [{"a": 1}],
    }


@app.callback(Output("mutated", "children"), Input("round", "value"))
def mutate(_round: int) -> str:
    """Return what the data is, then do all that a callback must not do to shared data."""
    value = everything()
    frame, array, small, inner, rows = (
        value["frame"],
        value["array"],
        value["small"],
        value["dict"],
        value["list"],
    )
    assert isinstance(frame, pd.DataFrame)
    assert isinstance(array, np.ndarray)
    assert isinstance(small, np.ndarray)
    assert isinstance(inner, dict)
    assert isinstance(rows, list)
    seen = [
        float(frame["a"].sum()),
        list(frame.columns),
        len(frame),
        float(array.sum()),
        float(small.sum()),
        inner,
        rows,
    ]
    text = json.dumps({"pid": os.getpid(), "seen": seen})
    frame.iloc[0, 0] = -1e9
    frame.loc[len(frame)] = pd.Series({"a": 1.0, "b": "z"})
    frame.rename(columns={"b": "renamed"}, inplace=True)  # noqa: PD002 (that is the point)
    unlocked = np.asarray(frame["a"].values)
    unlocked.flags.writeable = True
    unlocked[:] = 5
    array[:] = 7
    small += 1
    inner["list"].append(4)
    rows[0]["a"] = 2
    return text


# Dash #3971: a worker's first page load races with its own assets.
server.test_client().get("/")
