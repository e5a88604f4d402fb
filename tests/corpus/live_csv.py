from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd
import plotly.express as px

PATH = "live.csv"
frame = pd.read_csv(PATH)
previous = frame.copy()
app = Dash(__name__)
app.layout = html.Div([dcc.Interval(id="tick", interval=5000), dcc.Graph(id="g"), html.Div(id="n")])

def reload():
    global frame, previous
    previous = frame
    frame = pd.read_csv(PATH)
    return frame


@callback(Output("g", "figure"), Input("tick", "n_intervals"))
def update(_):
    new = reload()  # expect: DS101, DS101
    new["t"] = pd.to_datetime(new["t"])  # expect: DS104
    return px.line(new, x="t", y="v")


@callback(Output("n", "children"), Input("tick", "n_intervals"))
def compare(_):
    global frame  # read only
    joined = frame.merge(previous, on="t")
    joined["diff"] = joined.v_x - joined.v_y
    return str(joined["diff"].abs().max())
