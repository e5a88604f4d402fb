from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update


def themed(title):
    app = Dash(__name__, title=title)
    theme = "light"
    used = set()

    @app.callback(Output("page", "className"), Input("theme", "value"))
    def change(value):
        nonlocal theme
        theme = value  # expect: DS102
        used.add(value)  # expect: DS106
        app.config.update(title=value)  # expect: DS111
        return theme

    app.layout = html.Div([dcc.RadioItems(["light", "dark"], id="theme"), html.Div(id="page")])
    return app


if __name__ == "__main__":
    themed("A").run()
