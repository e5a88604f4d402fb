import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import time

class Motor:
    def __init__(self, pin):
        self.pin = pin
        self.speed = 0
        self.log = []

    def set(self, speed):
        self.log.append((time.time(), speed))
        self.speed = speed
        return self


motors = {"left": Motor(1), "right": Motor(2)}
main = Motor(3)
app = dash.Dash(__name__)
server = app.server
app.layout = html.Div([dcc.Slider(0, 10, id="s"), html.Div(id="o"), html.Button("Stop", id="stop"), html.Div(id="p")])

@app.callback(Output("o", "children"), [Input("s", "value")])
def drive(speed):
    main.set(speed)  # expect: DS106, DS105
    spare = Motor(9).set(speed)
    spare.speed = 0
    return main.speed


@app.callback(Output("p", "children"), [Input("stop", "n_clicks")])
def stop(n):
    for motor in motors.values():
        motor.speed = 0  # expect: DS105
    left = motors["left"]
    left.log.clear()  # expect: DS106
    names = list(motors)
    names.append("x")
    return len(names)
