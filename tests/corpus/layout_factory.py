import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import sys


def register(app, server):
    @app.callback(Output("page", "children"), [Input("url", "pathname")])
    def display(pathname):
        app.layout = html.Div(pathname)  # expect: DS111
        app.config.external_stylesheets = []  # expect: DS111
        sys.path.append("plugins" + pathname)  # expect: DS111
        return pathname

    @app.callback(Output("menu", "children"), [Input("url", "search")])
    def menu(search):
        page = html.Div(search)
        page.title = search
        page.children = [search]
        return page


def create(server=None):
    app = dash.Dash(__name__, server=server or True)
    app.layout = html.Div([dcc.Location(id="url"), html.Div(id="page"), html.Div(id="menu")])
    app.title = "Plugins"
    app.config.suppress_callback_exceptions = True
    register(app, server)
    return app
