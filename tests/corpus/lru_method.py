from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
from functools import cached_property, lru_cache

import pandas as pd


class Data:
    def __init__(self, path):
        self.path = path

    @lru_cache(maxsize=4)
    def sheet(self, name):
        return pd.read_excel(self.path, sheet_name=name)

    @staticmethod
    @lru_cache
    def labels():
        return {"a": "Alpha"}

    def clean(self, name):
        frame = self.sheet(name)
        frame.columns = [c.strip() for c in frame.columns]
        return frame


data = Data("book.xlsx")
app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="n"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("n", "value"))
def show(name):
    frame = data.clean(name)  # expect: DS109
    frame.loc[:, "n"] = 1  # expect: DS109
    again = data.sheet(name).query("n > 0")
    again["n"] = 2
    return len(frame)


@callback(Output("p", "children"), Input("n", "value"))
def label(name):
    Data.labels()[name] = name.upper()  # expect: DS109
    data.sheet(name).sort_values("n", inplace=True)  # expect: DS109
    return Data.labels()["a"]
