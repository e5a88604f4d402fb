import dash
from dash import Input, Output, callback, dcc, html

from data import STATIONS, remember

dash.register_page(__name__, path="/")

layout = html.Div([dcc.Dropdown(STATIONS["name"].tolist(), id="station"), dcc.Slider(2000, 2024, 1, id="year"), html.P(id="info")])


@callback(Output("info", "children"), Input("station", "value"), Input("year", "value"))
def info(station, year):
    remember(station, year)  # expect: DS104, DS104
    row = STATIONS[STATIONS["name"] == station].iloc[0]
    return f"{row['name']} at {row['elevation']} m"
