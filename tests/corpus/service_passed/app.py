from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
from callbacks import register_callbacks
from service import Portfolio

app = Dash(__name__)
app.layout = html.Div([html.Button("Buy", id="buy"), dcc.Input(id="name", type="text"), html.Div(id="o"), html.Div(id="p")])
portfolio = Portfolio("main")
register_callbacks(app, portfolio)
