import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
from types import SimpleNamespace

state = SimpleNamespace(filters=[], page=1, user=None)


class _Ctx:
    pass


context = _Ctx()
context.zoom = 3
app = dash.Dash(__name__)
server = app.server
app.my_data = []
app.layout = html.Div([dcc.Dropdown(id="f"), html.Button("P", id="p"), html.Div(id="o"), dcc.Graph(id="m"), html.Div(id="z")])

@app.callback(Output("o", "children"), [Input("f", "value"), Input("p", "n_clicks")])
def apply(value, n):
    state.page = n  # expect: DS105
    state.user = value  # expect: DS105
    state.filters.append(value)  # expect: DS106
    view = SimpleNamespace(page=n)
    view.page = 3
    return view.page


@app.callback(Output("z", "children"), [Input("m", "relayoutData")])
def zoom(layout):
    context.zoom = (layout or {}).get("zoom", 3)  # expect: DS105
    app.my_data = [layout]  # expect: DS105
    box = _Ctx()
    box.zoom = context.zoom
    return box.zoom

if __name__ == "__main__":
    app.run_server(debug=True)
