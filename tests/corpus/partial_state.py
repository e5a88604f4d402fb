from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import functools
import pandas as pd


def on_upload(shared, contents, names):
    frames = [pd.read_json(each) for each in contents]
    shared[:] = frames  # expect: DS104
    own = list(shared)
    own.append(names)
    return len(own)


def on_clear(shared, settings, n):
    shared.clear()  # expect: DS106
    settings["n"] = n  # expect: DS104
    return ""


def register(app):
    shared = []
    settings = {}
    app.callback(Output("o", "children"), Input("up", "contents"), State("up", "filename"))(functools.partial(on_upload, shared))
    app.callback(Output("p", "children"), Input("clear", "n_clicks"))(functools.partial(on_clear, shared, settings))


app = Dash(__name__)
app.layout = html.Div([dcc.Upload(id="up", children="Drop a file"), html.Button("Clear", id="clear"), html.Div(id="o"), html.Div(id="p")])
register(app)
