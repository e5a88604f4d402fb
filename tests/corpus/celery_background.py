from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import os
import time

import numpy as np
from celery import Celery
from dash import CeleryManager, set_props

celery_app = Celery(__name__, broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
manager = CeleryManager(celery_app)
app = Dash(__name__, background_callback_manager=manager)
results = []
job_count = 0

app.layout = html.Div([html.Button("Start", id="start"), html.Button("Stop", id="stop"), html.Div(id="bar"), html.Div(id="answer")])

@app.callback(
    Output("answer", "children"),
    Input("start", "n_clicks"),
    background=True,
    running=[(Output("start", "disabled"), True, False)],
    progress=[Output("bar", "children")],
    cancel=[Input("stop", "n_clicks")],
    prevent_initial_call=True,
)
def simulate(set_progress, _):
    global job_count
    job_count += 1  # expect: DS103
    np.random.seed(42)  # expect: DS111
    walk = np.zeros(1000)
    for step in range(1, 1000):
        walk[step] = walk[step - 1] + np.random.normal()
        set_progress(f"{step}")
    results.append(walk[-1])  # expect: DS106
    set_props("bar", {"children": "done"})
    os.environ["LAST_RUN"] = str(time.time())  # expect: DS111
    return f"{walk[-1]:.2f}"
