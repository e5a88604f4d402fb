from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import shared
from handlers import handle

app = Dash(__name__)
app.layout = html.Div([dcc.Input(id="a", type="text"), html.Button("B", id="b"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("a", "value"))
def one(a):
    return handle(a)  # expect: DS104, DS106


@callback(Output("p", "children"), Input("b", "n_clicks"))
def two(n):
    shared.APP_DATA["df"] = n  # expect: DS104
    shared.update(n=n)  # expect: DS106
    return str(shared.snapshot())
