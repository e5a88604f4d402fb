import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import functools
import pandas as pd


@functools.lru_cache()
def columns(table):
    return ["id", "name", table]


@functools.lru_cache(maxsize=None)
def options(table):
    return [{"label": c, "value": c} for c in columns(table)]


def dropdown(table):
    found = options(table)
    return found


app = dash.Dash(__name__)
server = app.server
app.layout = html.Div([dcc.Dropdown(id="t"), html.Div(id="o"), html.Div(id="p"), html.Div(id="q")])

@app.callback(Output("o", "children"), [Input("t", "value")])
def show(table):
    cols = columns(table)
    cols.remove("id")  # expect: DS109
    cols += ["x"]  # expect: DS109
    safe = list(columns(table))
    safe.remove("id")
    return str(safe)


@app.callback(Output("p", "children"), [Input("t", "value")])
def menu(table):
    opts = dropdown(table)
    opts.insert(0, {"label": "All", "value": "*"})  # expect: DS109
    for option in opts:
        option["disabled"] = False  # expect: DS109
    return str(opts)


@app.callback(Output("q", "children"), [Input("t", "value")])
def other(table):
    opts = [dict(option) for option in options(table)]
    opts[0]["label"] = "x"
    first, *rest = columns(table)
    rest.sort()
    return first

if __name__ == "__main__":
    app.run_server(debug=True)
