from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
from dash import ClientsideFunction, clientside_callback

app = Dash(__name__)
counter = {"n": 0}
app.layout = html.Div([html.Button("Go", id="go"), html.Div(id="n"), dcc.Store(id="store"), html.Div(id="o")])

clientside_callback(
    """function(n, data) { window.count = (window.count || 0) + n; return window.count; }""",
    Output("n", "children"),
    Input("go", "n_clicks"),
    State("store", "data"),
)
app.clientside_callback(ClientsideFunction("ns", "draw"), Output("o", "children"), Input("n", "children"))


@app.server.route("/health")
def health():
    counter["n"] += 1
    return "ok"


@app.server.before_request
def before():
    counter["last"] = 1


def warm_up():
    global counter
    counter = {"n": 10}


warm_up()


@callback(Output("store", "data"), Input("go", "n_clicks"), State("store", "data"))
def keep(n, data):
    data = (data or []) + [n]
    data.append(counter["n"])
    return data
