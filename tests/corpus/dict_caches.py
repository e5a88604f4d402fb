import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import pandas as pd

_cache = {}
FRAMES = dict()
results = {}
by_user = {}
LIMITS = {"a": 1, "b": 2}


def load(name):
    if name in _cache:
        return _cache[name]
    _cache[name] = pd.read_csv(f"{name}.csv")
    return _cache[name]


def frame(name):
    try:
        return FRAMES[name]
    except KeyError:
        FRAMES[name] = pd.read_csv(name)
        return FRAMES[name]


def limit(name):
    if name not in LIMITS:
        raise ValueError(name)
    return LIMITS[name]


app = dash.Dash(__name__)
server = app.server
app.layout = html.Div(
    [
        dcc.Dropdown(id="name"),
        dash_table.DataTable(id="table"),
        html.Div(id="rows"),
        html.Div(id="sum"),
        html.Div(id="who"),
    ]
)

@app.callback(Output("table", "data"), [Input("name", "value")])
def table(name):
    return load(name).to_dict("records")  # expect: DS110


@app.callback(Output("rows", "children"), [Input("name", "value")])
def rows(name):
    return len(frame(name)) + limit(name)  # expect: DS110


@app.callback(Output("sum", "children"), [Input("name", "value")])
def total(name):
    known = results.get(name)
    if known is None:
        known = load(name).sum()  # expect: DS110
        results[name] = known  # expect: DS110
    return str(known)


@app.callback(Output("who", "children"), [Input("name", "value")])
def who(name):
    found = {}
    if name not in found:
        found[name] = 1
    if not by_user.get(name):
        by_user[name] = [name]  # expect: DS110
    return str(by_user[name])

if __name__ == "__main__":
    app.run_server(debug=True)
