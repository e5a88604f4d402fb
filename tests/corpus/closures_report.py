import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State


def report_page(app, prefix):
    report = None
    version = 0
    author = "nobody"

    @app.callback(Output("body", "children"), [Input("author", "value")])
    def write(name):
        nonlocal report, author
        author = name  # expect: DS102
        report = [f"{prefix} by {name}"]  # expect: DS102
        text = " ".join(report)
        text += "."
        return text

    @app.callback(Output("version", "children"), [Input("release", "n_clicks")])
    def release(n):
        nonlocal version
        version += 1  # expect: DS103
        tags = [f"v{version}", author]
        tags.sort()
        return str(tags)

    return html.Div([dcc.Input(id="author"), html.Div(id="body"), html.Button(id="release"), html.P(id="version")])
