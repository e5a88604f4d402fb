import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import plotly.graph_objs as go
from plotly.subplots import make_subplots

app = dash.Dash(__name__)
server = app.server
fig = make_subplots(rows=1, cols=2)
fig.add_trace(go.Scatter(x=[], y=[]), row=1, col=1)
base = go.Figure(layout={"template": "plotly_white"})
TRACE = dict(mode="lines", line={"width": 2})

app.layout = html.Div(
    [
        dcc.Dropdown(id="color"),
        dcc.Graph(id="live"),
        dcc.Graph(id="other"),
        dcc.Interval(id="timer", interval=5000),
    ]
)

@app.callback(Output("live", "figure"), [Input("timer", "n_intervals")], [State("color", "value")])
def live(n, color):
    fig.data[0].x += (n,)  # expect: DS103
    fig.update_traces(line_color=color)  # expect: DS106
    fig.update_layout(title=f"n = {n}")  # expect: DS106
    return fig


@app.callback(Output("other", "figure"), [Input("color", "value")])
def other(color):
    mine = go.Figure(base)
    mine.add_trace(go.Bar(x=[1], y=[2], marker_color=color))
    options = {**TRACE, "name": color}
    options["mode"] = "markers"
    TRACE["line"]["color"] = color  # expect: DS104
    mine.add_scatter(x=[1], y=[1], **options)
    return mine
