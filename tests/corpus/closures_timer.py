import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import time


def add_timer(app, name):
    started = stopped = None
    laps = []
    running = False

    @app.callback(Output(name, "children"), [Input(name + "-start", "n_clicks")])
    def start(n):
        nonlocal started, running
        started = time.time()  # expect: DS102
        running = True  # expect: DS102
        return "running"

    @app.callback(Output(name + "-lap", "children"), [Input(name + "-stop", "n_clicks")])
    def stop(n):
        nonlocal stopped, running
        if not running:
            raise dash.exceptions.PreventUpdate
        stopped = time.time()  # expect: DS102
        running = False  # expect: DS102
        laps.append(stopped - started)  # expect: DS106
        best = None
        for lap in laps:
            if best is None or lap < best:
                best = lap
        return f"{best:.1f}"


app = dash.Dash(__name__)
server = app.server
add_timer(app, "run")
