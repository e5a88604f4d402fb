import random

import plotly.graph_objects as go
from dash import Dash, Input, Output, dcc, html


class SensorDashboard:
    """A live view of one sensor."""

    refresh_ms = 500
    alarms = []

    def __init__(self, name):
        self.name = name
        self.values = []
        self.threshold = 10
        self.app = Dash(__name__)
        self.app.layout = html.Div(
            [dcc.Graph(id="live"), dcc.Slider(0, 20, 1, id="limit"), html.Div(id="msg"), dcc.Interval(id="i", interval=self.refresh_ms)]
        )
        self.app.callback(Output("live", "figure"), Input("i", "n_intervals"))(self.update)
        self.app.callback(Output("msg", "children"), Input("limit", "value"))(self.set_threshold)

    def update(self, n):
        self.values.append(random.random() * 20)  # expect: DS106
        if self.values[-1] > self.threshold:
            self.alarms.append(n)  # expect: DS107
        fig = go.Figure(go.Scatter(y=self.values))
        fig.update_layout(title=self.name)
        fig.add_hline(y=self.threshold)
        return fig

    def set_threshold(self, value):
        self.threshold = value  # expect: DS105
        return f"limit {value}, {len(self.alarms)} alarms"

    def run(self):
        self.app.run(debug=False)


if __name__ == "__main__":
    SensorDashboard("boiler").run()
