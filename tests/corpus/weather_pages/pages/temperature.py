import dash
import plotly.express as px
from dash import Input, Output, callback, dcc, html

import data

dash.register_page(__name__, path_template="/temperature/<station>")


def layout(station=None, **_):
    data.last_query["station"] = station  # expect: DS104
    return html.Div([dcc.RadioItems(["C", "F"], "C", id="unit"), dcc.Store(id="which", data=station), dcc.Graph(id="curve")])


@callback(Output("curve", "figure"), Input("unit", "value"), Input("which", "data"))
def curve(unit, station):
    frame = data.readings_of(station)
    if unit == "F":
        frame = data.to_fahrenheit(frame)
    return px.line(frame, x="time", y="temp")


@callback(Output("curve", "config"), Input("unit", "value"))
def all_stations(unit):
    frame = data.READINGS
    if unit == "F":
        data.to_fahrenheit(frame)  # expect: DS104
    return {"displaylogo": len(frame) > 0}
