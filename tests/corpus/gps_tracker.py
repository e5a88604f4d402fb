from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import threading
import time
from collections import deque

positions = deque(maxlen=1000)
lock = threading.Lock()
speed = {"kmh": 0}
running = False
worker = None


def poll():
    while running:
        with lock:
            positions.append((time.time(), 1.0))
        time.sleep(1)


app = Dash(__name__)
app.layout = html.Div([html.Button("Go", id="go"), dcc.Graph(id="map"), dcc.Interval(id="tick", interval=5000), html.Div(id="kmh")])

@callback(Output("kmh", "children"), Input("go", "n_clicks"))
def start(n):
    global running, worker
    running = bool(n % 2)  # expect: DS101
    worker = threading.Thread(target=poll, daemon=True)  # expect: DS106
    worker.start()
    return str(running)


@callback(Output("map", "figure"), Input("tick", "n_intervals"))
def draw(_):
    with lock:
        points = list(positions)
    points.sort()
    speed["kmh"] = len(points)  # expect: DS104
    positions.rotate(1)  # expect: DS106
    return {"data": [{"x": [t for t, _ in points]}]}
