import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
import copy
import json
import pandas as pd

BASE = {"layout": {"margin": {"t": 10}}, "data": []}
with open("geo.json") as f:
    GEO = json.load(f)
df = pd.read_json("x.json")


def figure(title):
    fig = copy.deepcopy(BASE)
    fig["layout"]["title"] = title
    fig["data"].append({"x": [1]})
    return fig


def smooth(frame, window):
    frame = frame.copy()
    frame["smooth"] = frame["v"].rolling(window).mean()
    return frame


def only(codes):
    features = [f for f in GEO["features"] if f["id"] in codes]
    return {"type": "FeatureCollection", "features": features}


def options(frame):
    result = []
    for name in frame["name"].unique():
        result.append({"label": name, "value": name})
    result.sort(key=lambda o: o["label"])
    return result


app = dash.Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="n"), dcc.Slider(0, 10, id="w"), dcc.Graph(id="g"), dcc.Graph(id="m")])

@app.callback(Output("g", "figure"), [Input("n", "value"), Input("w", "value")])
def update(n, w):
    fig = figure(n)
    fig["data"][0]["y"] = smooth(df, w)["smooth"].tolist()
    return fig


@app.callback(Output("m", "figure"), [Input("n", "value")])
def geo(n):
    shown = only([n])
    shown["name"] = n
    shown["features"].append({"id": "x"})
    return {"data": [shown]}


@app.callback(Output("n", "options"), [Input("w", "value")])
def names(w):
    opts = options(smooth(df, w))
    opts.insert(0, {"label": "all", "value": "*"})
    return opts

if __name__ == "__main__":
    app.run_server(debug=True)
