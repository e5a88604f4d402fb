from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import sys

import pandas as pd

this = sys.modules[__name__]
app = Dash(__name__)


class Client:
    def __init__(self, url):
        self.url = url
        self.token = None
        self.calls = 0

    def login(self, token):
        self.token = token

    def get(self, path):
        self.calls += 1
        return [self.url + path]

    @property
    def user(self):
        return self.token

    @user.setter
    def user(self, value):
        self.token = value


client = Client("https://api.example.org/")
app.layout = html.Div([dcc.Input(id="t", type="text"), dcc.Input(id="p", type="text"), html.Div(id="o"), html.Div(id="q")])

@callback(Output("o", "children"), Input("t", "value"))
def login(token):
    client.login(token)  # expect: DS105
    client.user = token  # expect: DS105
    return client.get("/me")  # expect: DS103


@callback(Output("q", "children"), Input("p", "value"))
def path(value):
    mine = Client("https://b.example.org")
    mine.login(value)
    mine.user = value
    Client.timeout = 5  # expect: DS107
    return str(mine.get(value))
