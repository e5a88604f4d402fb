from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import geopandas as gpd
import numpy as np
import plotly.graph_objects as go

world = gpd.read_file("world.geojson")
CENTERS = np.array([[0.0, 1.0], [2.0, 3.0]])
app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="c"), dcc.Graph(id="map"), html.Div(id="p")])

@callback(Output("map", "figure"), Input("c", "value"))
def draw(c):
    one = world[world["name"] == c].to_crs(3857)
    one["area"] = one.geometry.area
    points = CENTERS.copy()
    points[:, 0] += 1
    rotated = CENTERS @ np.eye(2)
    rotated[0] = 0
    mean = CENTERS.mean(axis=0)
    mean[0] = 5
    fig = go.Figure()
    fig.add_trace(go.Scatter(x=points[:, 0]))
    for shape in ("a", "b"):
        fig.add_shape(type="line", name=shape)
    fig.data[0].name = c
    return fig


@callback(Output("p", "children"), Input("c", "value"))
def count(c):
    counts = world["name"].value_counts()
    counts["total"] = 5
    table = world.groupby("name").size().to_dict()
    table["x"] = 1
    names = world["name"].tolist()
    names.append("x")
    return str(counts)
