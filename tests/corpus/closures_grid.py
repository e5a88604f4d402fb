from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import numpy as np


class Life:
    def __init__(self, app, size):
        grid = np.zeros((size, size), dtype=int)
        generation = 0
        pattern = None

        @app.callback(Output("grid", "figure"), Input("step", "n_clicks"))
        def step(_):
            nonlocal grid, generation
            grid = np.roll(grid, 1)  # expect: DS102
            generation += 1  # expect: DS103
            return {"data": [{"z": grid.tolist()}]}

        @app.callback(Output("grid", "title"), Input("grid", "clickData"), State("pattern", "value"))
        def paint(click, value):
            nonlocal pattern
            x, y = click["points"][0]["x"], click["points"][0]["y"]
            grid[y, x] = 1  # expect: DS104
            pattern = value  # expect: DS102
            shown = grid.copy()
            shown[0] = 1
            return str(shown.sum())


app = Dash(__name__)
Life(app, 20)
app.layout = html.Div([dcc.Graph(id="grid"), html.Button("Step", id="step"), dcc.Dropdown(id="pattern")])
