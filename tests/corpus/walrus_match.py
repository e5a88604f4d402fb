from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
app = Dash(__name__)
history = []
modes = {"sum": [], "mean": []}
app.layout = html.Div([dcc.Dropdown(id="k"), dcc.Input(id="v", type="text"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("k", "value"), State("v", "value"))
def run(kind, value):
    match kind:
        case "sum":
            modes["sum"].append(value)  # expect: DS106
        case str(other) if (known := modes.get(other)) is not None:
            known.append(value)  # expect: DS106
        case _:
            known = []
            known.append(value)
    if (n := len(history)) > 10:
        del history[0]  # expect: DS104
        n -= 1
    return n


@callback(Output("p", "children"), Input("k", "value"))
def show(kind):
    if chosen := [m for m in modes if m != kind]:
        chosen.append("x")
    *rest, last = history or [None]
    rest.append(last)
    return str(rest)
