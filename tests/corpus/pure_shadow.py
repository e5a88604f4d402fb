import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import pandas as pd

df = pd.read_csv("x.csv")
fig = None
items = [1, 2]
options = {"a": 1}
app = dash.Dash(__name__)
server = app.server
app.layout = html.Div([dcc.Dropdown(id="a"), html.Div(id="b"), html.Div(id="c"), html.Div(id="d")])

@app.callback(Output("b", "children"), [Input("a", "value")])
def shadow(a):
    items = []
    items.append(a)
    options = {"b": 2}
    options["a"] = a
    fig = {"data": []}
    fig["layout"] = {}
    df = pd.DataFrame()
    df["x"] = [1]
    for items in ([1], [2]):
        items.append(3)
    return len(items)


@app.callback(Output("c", "children"), [Input("a", "value")])
def parameter(df):
    df = pd.DataFrame(df)
    df["y"] = 1
    options = dict(a=1)
    options.pop("a")
    return [items for items in df["y"]]


@app.callback(Output("d", "children"), [Input("a", "value")])
def inner(a):
    def clean(df):
        df["z"] = 0
        return df

    with open("x.csv") as fig:
        fig.readline()
    try:
        items = int(a)
    except ValueError as options:
        return str(options)
    return len(clean(pd.DataFrame({"a": [items]})))

if __name__ == "__main__":
    app.run_server(debug=True)
