import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import numpy as np
import random

app = dash.Dash(__name__)
server = app.server
t = 0
positions = np.random.rand(10, 2)
velocity = np.zeros((10, 2))
paused = False
trail = [[] for _ in range(10)]
app.layout = html.Div([dcc.Interval(id="tick", interval=5000), html.Button("Pause", id="pause"), dcc.Graph(id="g"), html.Div(id="b")])

def step(dt):
    global t
    velocity[:, 1] -= 9.81 * dt
    t += dt


@app.callback(Output("g", "figure"), [Input("tick", "n_intervals")])
def animate(n):
    global positions
    if not paused:
        step(0.1)  # expect: DS103, DS103
        positions = positions + velocity  # expect: DS101
        for i, (x, y) in enumerate(positions):
            trail[i].append((x, y))  # expect: DS106
    jitter = positions + random.random()
    jitter[0] = 0
    return {"data": [{"x": jitter[:, 0]}]}


@app.callback(Output("b", "children"), [Input("pause", "n_clicks")])
def pause(n):
    global paused
    paused = not paused  # expect: DS101
    return "||" if paused else ">"

if __name__ == "__main__":
    app.run_server(debug=True)
