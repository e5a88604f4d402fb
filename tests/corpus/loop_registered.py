import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
app = dash.Dash(__name__)
server = app.server
opened = {}
visible = []
NAMES = ["a", "b", "c"]
app.layout = html.Div([html.Div([html.Button(id=f"b-{n}"), html.Div(id=f"d-{n}")]) for n in NAMES])


def make(name):
    @app.callback(Output(f"d-{name}", "style"), [Input(f"b-{name}", "n_clicks")])
    def toggle(n):
        opened[name] = not opened.get(name)  # expect: DS104
        style = {"display": "block"}
        style["display"] = "none"
        return style


for each in NAMES:
    make(each)
    app.callback(Output(f"b-{each}", "title"), [Input(f"d-{each}", "style")])(lambda style: str(style))


def note(style):
    visible.append(style)  # expect: DS106
    return len(visible)


app.callback(Output("b-a", "className"), [Input("d-a", "style")])(note)
