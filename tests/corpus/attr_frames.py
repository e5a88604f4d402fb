import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
import numpy as np
import pandas as pd

app = dash.Dash(__name__)
df = pd.read_csv("a.csv", index_col=0)
series = df["a"]
grid = np.arange(12)
app.layout = html.Div([dcc.Dropdown(id="x"), html.Div(id="o"), html.Div(id="p"), html.Div(id="q")])

@app.callback(Output("o", "children"), [Input("x", "value")])
def rename(x):
    df.index.name = x  # expect: DS105
    df.columns = df.columns.str.lower()  # expect: DS105
    series.name = x  # expect: DS105
    local = df.copy()
    local.columns = ["b"]
    local.index.name = "i"
    return str(local)


@app.callback(Output("p", "children"), [Input("x", "value")])
def reshape(x):
    grid.shape = (3, 4)  # expect: DS105
    other = grid.reshape(2, 6).copy()
    other.shape = (12,)
    df.at[0, "a"] = x  # expect: DS104
    df.iloc[0] = 1  # expect: DS104
    return str(other)


@app.callback(Output("q", "children"), [Input("x", "value")])
def lower(x):
    table = df[["a"]]
    table.columns = ["z"]
    table = table.rename(columns={"z": x})
    return table.to_json()

if __name__ == "__main__":
    app.run_server(debug=True)
