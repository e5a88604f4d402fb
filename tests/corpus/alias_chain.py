from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd

base = {"rows": [], "meta": {"n": 0}}
alias = base
rows = base["rows"]
frames = {"a": pd.DataFrame(), "b": pd.DataFrame()}
app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="k"), html.Div(id="o"), html.Div(id="p"), html.Div(id="q")])

@callback(Output("o", "children"), Input("k", "value"))
def one(k):
    alias["k"] = k  # expect: DS104
    rows.append(k)  # expect: DS106
    meta = alias["meta"]
    meta["n"] += 1  # expect: DS103
    return str(base)


@callback(Output("p", "children"), Input("k", "value"))
def two(k):
    for name, frame in frames.items():
        frame["n"] = name  # expect: DS104
    frame = frames[k]
    frame = frame.assign(z=1)
    frame["z"] = 2
    return len(frame)


@callback(Output("q", "children"), Input("k", "value"))
def three(k):
    picked = frames.get(k)
    picked.dropna(inplace=True)  # expect: DS106
    a = b = base["rows"]
    b.append(a)  # expect: DS106
    a = [1]
    a.append(2)
    left, right = frames["a"], frames["b"].copy()
    right["x"] = 1
    left["x"] = 1  # expect: DS104
    return 0
