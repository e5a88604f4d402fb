from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import flask
from flask import g, request, session
from dash.exceptions import PreventUpdate

app = Dash(__name__)
app.server.secret_key = "x"
app.layout = html.Div([html.Button("Go", id="go"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("go", "n_clicks"))
def login(n):
    if not n:
        raise PreventUpdate
    session["n"] = session.get("n", 0) + n
    session.setdefault("seen", []).append(n)
    session["seen"].append(n)
    session.modified = True
    g.user = request.headers.get("X-User")
    flask.session.pop("old", None)
    ctx.response.set_cookie("n", str(n))
    ctx.record_timing("x", 1.0)
    return str(ctx.triggered_id)


@callback(Output("p", "children"), Input("go", "n_clicks"))
def trigger(_):
    triggered = ctx.triggered[0]
    values = ctx.inputs
    values["x"] = 1
    parts = triggered["prop_id"].split(".")
    parts.pop()
    names = request.args.to_dict()
    names["a"] = "b"
    return parts[0]
