from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import polars as pl
import plotly.express as px

trips = pl.read_parquet("trips.parquet")
zones = pl.read_csv("zones.csv").to_dicts()
fares = trips["fare"].to_numpy()
app = Dash(__name__)
app.layout = html.Div(
    [
        dcc.Dropdown(id="zone"),
        dcc.Slider(0, 10, id="hour"),
        dcc.Graph(id="chart"),
        html.Div(id="note"),
    ]
)

@callback(Output("chart", "figure"), Input("zone", "value"), Input("hour", "value"))
def chart(zone, hour):
    some = trips.filter(pl.col("zone") == zone)
    some = some.with_columns((pl.col("fare") * 1.2).alias("gross"))
    some.insert_column(0, pl.Series("n", range(some.height)))
    trips.insert_column(0, pl.Series("n", range(trips.height)))  # expect: DS106
    fig = px.histogram(some, x="gross")
    fig.update_layout(bargap=0.1)
    return fig


@callback(Output("note", "children"), Input("hour", "value"))
def note(hour):
    names = []
    for zone in zones:
        if zone["hour"] == hour:
            zone["selected"] = True  # expect: DS104
            names.append(zone["name"])
    zones.sort(key=lambda zone: zone["name"])  # expect: DS106
    return ", ".join(names)
