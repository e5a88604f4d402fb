from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import os
from statistics import mean

import statsd
from opentelemetry import trace

tracer = trace.get_tracer(__name__)
metrics = statsd.StatsClient("localhost")
durations = []
os.environ.setdefault("SERVICE", "dash")
app = Dash(__name__)
app.layout = html.Div([html.Button("Go", id="go"), html.Div(id="o")])

@callback(Output("o", "children"), Input("go", "n_clicks"))
def go(n):
    with tracer.start_as_current_span("go") as span:
        span.set_attribute("n", n)
        metrics.incr("clicks")
        durations.append(n)  # expect: DS106
        os.environ["LAST"] = str(n)  # expect: DS111
    recent = durations[-10:]
    recent.sort()
    return mean(recent)
