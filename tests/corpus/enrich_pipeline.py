import time

import pandas as pd
from dash_extensions.enrich import DashProxy, Input, Output, Serverside, ServersideOutputTransform, Trigger, TriggerTransform, dcc, html
from dash_extensions.logging import NotificationsLogHandler

app = DashProxy(transforms=[ServersideOutputTransform(), TriggerTransform()])
raw = pd.read_feather("events.feather")
progress = {"step": 0}

app.layout = html.Div([html.Button("Run", id="run"), dcc.Store(id="clean"), dcc.Store(id="agg"), html.Div(id="out")])


@app.callback(Output("clean", "data"), Trigger("run", "n_clicks"), prevent_initial_call=True)
def clean():
    frame = raw.dropna()
    frame["seconds"] = frame["ms"] / 1000
    progress["step"] = 1  # expect: DS104
    return Serverside(frame)


@app.callback(Output("agg", "data"), Input("clean", "data"))
def aggregate(frame):
    frame["minute"] = frame["seconds"] // 60
    frame.rename(columns={"id": "event"}, inplace=True)
    progress.update(step=2, at=time.time())  # expect: DS106
    return Serverside(frame.groupby("minute").size())


@app.callback(Output("out", "children"), Input("agg", "data"))
def show(sizes):
    return f"{sizes.sum()} events, step {progress['step']}"


if __name__ == "__main__":
    app.run()
