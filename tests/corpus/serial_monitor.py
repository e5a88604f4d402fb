from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import threading
import time

import serial

port = serial.Serial("/dev/ttyUSB0", 9600)
readings, errors = [], []
latest = {"value": None}
CALIBRATION = {"offset": 0.0}


def reader():
    while True:
        readings.append(float(port.readline()))
        time.sleep(0.1)


threading.Thread(target=reader, daemon=True).start()
app = Dash(__name__)
app.layout = html.Div([dcc.Interval(id="tick", interval=5000), dcc.Graph(id="g"), html.Button("Zero", id="zero"), html.Div(id="o")])

@callback(Output("g", "figure"), Input("tick", "n_intervals"))
def draw(_):
    values = readings[-100:]
    values = [v - CALIBRATION["offset"] for v in values]
    values.sort()
    latest["value"] = values[-1]  # expect: DS104
    return {"data": [{"y": values}]}


@callback(Output("o", "children"), Input("zero", "n_clicks"))
def zero(_):
    port.write(b"z")
    CALIBRATION["offset"] = readings[-1]  # expect: DS104
    readings.clear()  # expect: DS106
    return "ok"
