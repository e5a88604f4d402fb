from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd


def create():
    app = Dash(__name__)
    table = None
    name = None
    errors = 0

    @app.callback(Output("name", "children"), Input("up", "contents"), State("up", "filename"))
    def read(contents, filename):
        nonlocal table, name, errors
        try:
            table = pd.read_csv(contents)  # expect: DS102
        except ValueError:
            errors += 1  # expect: DS103
            return no_update
        name = filename  # expect: DS102
        return name

    @app.callback(Output("rows", "children"), Input("name", "children"))
    def rows(_):
        if table is None:
            return no_update
        copy = table.copy()
        copy["n"] = 1
        table["n"] = range(len(table))  # expect: DS104
        return len(copy)

    app.layout = html.Div([dcc.Upload(id="up"), html.P(id="name"), html.P(id="rows")])
    return app
