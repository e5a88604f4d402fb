import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import copy


STEPS = ["upload", "map", "check", "import"]
DEFAULTS = {"delimiter": ",", "columns": []}


def build(server):
    app = dash.Dash(__name__, server=server, url_base_pathname="/wizard/")
    current = 0
    chosen, mapping = None, {}

    app.layout = html.Div([html.Button("Next", id="next"), html.Button("Back", id="back"), html.Div(id="title"), dcc.Upload(id="file", children="Drop a file")])

    @app.callback(
        Output("title", "children"),
        [Input("next", "n_clicks"), Input("back", "n_clicks")],
    )
    def move(n, b):
        nonlocal current
        step = dash.callback_context.triggered[0]["prop_id"]
        if step.startswith("next"):
            current = min(current + 1, len(STEPS) - 1)  # expect: DS102
        else:
            current -= 1  # expect: DS103
        return STEPS[current]

    @app.callback(Output("file", "children"), [Input("file", "filename")])
    def pick(name):
        nonlocal chosen, mapping
        chosen, mapping = name, {}  # expect: DS102, DS102
        options = copy.deepcopy(DEFAULTS)
        options["delimiter"] = ";"
        options["columns"].append(name)
        return str(options)

    return app
