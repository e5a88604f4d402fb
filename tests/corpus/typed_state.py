from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update


@dataclass
class AppState:
    frame: pd.DataFrame | None = None
    tags: list[str] = field(default_factory=list)
    zoom: float = 1.0


STATE = AppState()


def current() -> AppState:
    return STATE


def reset(state: AppState) -> None:
    state.zoom = 1.0
    state.tags.clear()


app = Dash(__name__)
app.layout = html.Div([dcc.Upload(id="up", children="Drop a file"), dcc.Input(id="tag", type="text"), html.Div(id="o"), html.Div(id="p"), html.Div(id="q")])

@callback(Output("o", "children"), Input("up", "contents"))
def load(contents: str) -> int:
    STATE.frame = pd.read_json(contents)  # expect: DS105
    frame = STATE.frame.copy()
    frame["n"] = 1
    return len(frame)


@callback(Output("p", "children"), Input("tag", "value"))
def tag(value: str) -> str:
    current().tags.append(value)  # expect: DS106
    state = current()
    state.zoom += 0.5  # expect: DS103
    return value


@callback(Output("q", "children"), Input("tag", "n_submit"))
def clear(_: int) -> str:
    reset(STATE)  # expect: DS105, DS106
    own = AppState()
    reset(own)
    return ""
