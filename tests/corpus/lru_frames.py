from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
from functools import cache, lru_cache

import pandas as pd


@lru_cache(maxsize=8)
def load(year):
    return pd.read_parquet(f"data/{year}.parquet")


@cache
def names():
    return ["a", "b"]


@lru_cache
def lookup(kind):
    return {"kind": kind, "items": []}


app = Dash(__name__)
app.layout = html.Div(
    [
        dcc.Slider(0, 10, id="year"),
        dash_table.DataTable(id="table"),
        html.Div(id="list"),
        dcc.Dropdown(id="kind"),
        html.Div(id="found"),
    ]
)

@callback(Output("table", "data"), Input("year", "value"))
def table(year):
    frame = load(year)
    frame["year"] = year  # expect: DS109
    frame.drop(columns="id", inplace=True)  # expect: DS109
    other = load(year).copy()
    other["year"] = year
    return other.merge(frame).to_dict("records")


@callback(Output("list", "children"), Input("year", "value"))
def listing(year):
    names().append(str(year))  # expect: DS109
    own = [*names(), "c"]
    own.sort()
    return own


@callback(Output("found", "children"), Input("kind", "value"))
def find(kind):
    entry = lookup(kind)
    entry["items"].append(kind)  # expect: DS109
    entry["seen"] = True  # expect: DS109
    mine = dict(lookup(kind))
    mine["seen"] = False
    return str(mine)
