import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Event, Output
from collections import deque
import random

X = deque(maxlen=20)
Y = deque(maxlen=20)
X.append(1)
Y.append(1)
APP = dash.Dash(__name__)
APP.layout = html.Div([dcc.Graph(id="live"), dcc.Interval(id="tick", interval=1000)])


@APP.callback(Output("live", "figure"), events=[Event("tick", "interval")])
def update_graph():
    global X
    global Y
    X.append(X[-1] + 1)  # expect: DS106
    Y.append(Y[-1] + random.uniform(-1, 1))  # expect: DS106
    values = list(Y)
    values.append(0)
    return {"data": [{"x": list(X), "y": values}]}


if __name__ == "__main__":
    APP.run_server(debug=True)
