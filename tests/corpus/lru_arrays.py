import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
from functools import lru_cache
import numpy as np
import plotly.graph_objs as go


@lru_cache()
def kernel(n):
    return np.hanning(n)


@lru_cache(16)
def spectrum(n, m):
    return np.ones((n, m))


@lru_cache()
def base_figure():
    return go.Figure(layout={"template": "simple_white"})


app = dash.Dash(__name__)
app.layout = html.Div([dcc.Slider(0, 10, id="n"), dcc.Graph(id="g"), dcc.Graph(id="h")])

@app.callback(Output("g", "figure"), [Input("n", "value")])
def convolve(n):
    window = kernel(n)
    window /= window.sum()  # expect: DS109
    image = spectrum(n, n)
    image[0, :] = 0  # expect: DS109
    scaled = kernel(n) / 2
    scaled /= 3
    return {"data": [{"z": image.tolist()}]}


@app.callback(Output("h", "figure"), [Input("n", "value")])
def figure(n):
    fig = base_figure()
    fig.add_trace(go.Scatter(y=kernel(n)))  # expect: DS109
    fig.update_layout(title="n")  # expect: DS109
    mine = go.Figure(base_figure())
    mine.add_trace(go.Scatter(y=[1]))
    return fig
