from flask import Flask
from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update

counts = {}


def create_dash(server: Flask) -> Flask:
    dash_app = Dash(server=server, routes_pathname_prefix="/dash/")
    dash_app.layout = html.Div([dcc.Input(id="a"), html.Div(id="b")])
    init_callbacks(dash_app)
    return dash_app.server


def init_callbacks(dash_app):
    @dash_app.callback(Output("b", "children"), Input("a", "value"))
    def echo(value):
        counts[value] = counts.get(value, 0) + 1  # expect: DS104
        dash_app.title = value  # expect: DS111
        return value


def init_app():
    server = Flask(__name__)
    with server.app_context():
        server = create_dash(server)
        return server


if __name__ == "__main__":
    init_app().run()
