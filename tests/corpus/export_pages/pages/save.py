import dash
from dash import Input, Output, State, callback, dcc, html
import os

import pandas as pd

import exports

dash.register_page(__name__, path="/save")
layout = html.Div([dcc.Input(id="name", type="text"), html.Button("Go", id="go"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("go", "n_clicks"), State("name", "value"))
def save(_, name):
    exports.save({"a": 1}, name)
    exports.save({"a": 1}, "current")  # expect: DS112
    exports.save_latest({"a": 1})  # expect: DS112
    return exports.read(name)


@callback(Output("p", "children"), Input("name", "value"))
def table(name):
    frame = pd.DataFrame({"a": [name]})
    frame.to_csv(exports.path_of(name))
    frame.to_csv(exports.path_of("all"))  # expect: DS112
    frame.to_pickle("frame.pkl")  # expect: DS112
    os.makedirs("out", exist_ok=True)
    return frame.to_json()
