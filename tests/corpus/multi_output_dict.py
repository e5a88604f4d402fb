from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd

app = Dash(__name__)
prices = pd.Series([1.0, 2.0], index=["a", "b"])
limits = {"low": {"v": 0}, "high": {"v": 9}}
app.layout = html.Div([dcc.Dropdown(id="k"), dcc.Input(id="v", type="text"), html.Div(id="o"), html.Div(id="p")])

@app.callback(
    output=dict(o=Output("o", "children"), p=Output("p", "children")),
    inputs=dict(k=Input("k", "value"), v=State("v", "value")),
)
def both(k, v):
    prices[k] = float(v)  # expect: DS104
    prices.loc["b"] = 0  # expect: DS104
    doubled = prices * 2
    doubled["a"] = 1
    limits["low"]["v"] -= 1  # expect: DS103
    low = dict(limits["low"])
    low["v"] = 5
    high = limits["high"]
    high.update(v=10)  # expect: DS106
    return dict(o=str(doubled), p=str(low))
