from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import io

import pandas as pd

left = right = None
diffs: dict[str, pd.DataFrame] = {}
app = Dash(__name__)
app.layout = html.Div([dcc.Upload(id="l", children="Drop a file"), dcc.Upload(id="r", children="Drop a file"), html.Div(id="o")])

def read(contents):
    frame = pd.read_csv(io.StringIO(contents))
    frame.columns = [c.strip() for c in frame.columns]
    return frame


@callback(Output("o", "children"), Input("l", "contents"), Input("r", "contents"))
def compare(a, b):
    global left, right
    left, right = read(a), read(b)  # expect: DS101, DS101
    diff = left.compare(right)
    diff["n"] = range(len(diff))
    diffs["last"] = diff  # expect: DS104
    for name, frame in diffs.items():
        frame["name"] = name  # expect: DS104
    return len(diff)
