import dash
from dash import Input, Output, State, callback, dcc, html
from common import count, counts

dash.register_page(__name__, path="/")

def layout(**kwargs):
    count("home")  # expect: DS103, DS103
    return html.Div([html.Button(id="go"), html.P(id="n")])


@callback(Output("n", "children"), Input("go", "n_clicks"))
def show(_):
    mine = counts["home"]
    mine += 1
    counts["home"] -= 1  # expect: DS103
    return mine
