import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
import functools
import pandas as pd

df = pd.read_csv("x.csv")
scale = 1
weights = {"a": 1}
LIMIT = 5


@functools.lru_cache
def scaled(column):
    return (df[column] * scale).sum()  # expect: DS113, DS113


@functools.lru_cache(maxsize=None)
def weighted(column):
    return weights[column] * LIMIT  # expect: DS113


@functools.lru_cache
def plain(column):
    return column.upper() * LIMIT


app = dash.Dash(__name__)
app.layout = html.Div([dcc.Slider(0, 10, id="s"), html.Div(id="o"), html.Div(id="p")])

@app.callback(Output("o", "children"), [Input("s", "value")])
def rescale(s):
    global scale, df
    scale = s  # expect: DS101
    df = df.dropna()  # expect: DS101
    return scaled("a")


@app.callback(Output("p", "children"), [Input("s", "value")])
def reweigh(s):
    weights.update(a=s)  # expect: DS106
    return f"{weighted('a')} {plain('a')}"

if __name__ == "__main__":
    app.run_server(debug=True)
