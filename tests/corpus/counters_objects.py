from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import numpy as np

class Meter:
    def __init__(self):
        self.total = 0
        self.parts = {}

    def add(self, amount):
        self.total += amount

    def mark(self, name):
        self.parts[name] = self.parts.get(name, 0)
        self.parts[name] += 1


meter = Meter()
heat = np.zeros((10, 10))
names = ["a"]
app = Dash(__name__)
app.layout = html.Div([dcc.Slider(0, 10, id="n"), html.Div(id="o"), html.Div(id="p"), html.Div(id="q")])

@callback(Output("o", "children"), Input("n", "value"))
def add(n):
    meter.add(n)  # expect: DS103
    own = Meter()
    own.add(n)
    return own.total


@callback(Output("p", "children"), Input("n", "value"))
def warm(n):
    global heat, names
    heat[n] += 1  # expect: DS103
    heat += 1  # expect: DS103
    names += ["x"]  # expect: DS103
    cold = heat.copy()
    cold += 1
    cold[n] -= 1
    return float(cold.sum())


@callback(Output("q", "children"), Input("n", "value"))
def mark(n):
    meter.mark(n)  # expect: DS104, DS103
    level = meter.total
    level += 1
    return level
