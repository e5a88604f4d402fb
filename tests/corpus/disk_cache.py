from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import time

import diskcache
import pandas as pd
from dash import DiskcacheManager

cache = diskcache.Cache("./cache")
manager = DiskcacheManager(cache)
app = Dash(__name__, background_callback_manager=manager)
threshold = 0.5
columns = ["a", "b"]
source = "main.csv"
app.layout = html.Div([dcc.Slider(0, 10, id="limit"), html.Div(id="out"), dcc.Dropdown(id="source"), html.Div(id="n")])

@cache.memoize(expire=60)
def above(day):
    frame = pd.read_csv(source)  # expect: DS113
    return frame[frame["score"] > threshold]  # expect: DS113


@cache.memoize()
def picked(day):
    return above(day)[columns]  # expect: DS113, DS113


@callback(Output("out", "children"), Input("limit", "value"), background=True)
def change(limit):
    global threshold
    threshold = limit  # expect: DS101
    cache["limit"] = limit
    cache.set("at", time.time(), expire=10)
    return len(picked("mon"))  


@callback(Output("n", "children"), Input("source", "value"), background=True, manager=manager)
def choose(value):
    global source
    source = value  # expect: DS101
    rows = above("tue")
    rows["day"] = "tue"
    return len(rows)
