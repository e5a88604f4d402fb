from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import flask
from flask import session
from flask_login import current_user, login_user, logout_user

app = Dash(__name__)
app.server.secret_key = "change-me"
accounts = {"ada": 100, "bob": 50}
current = None
audit = []

app.layout = html.Div(
    [
        dcc.Input(id="user", type="text"),
        html.Button("Login", id="login"),
        dcc.Input(id="amount", type="text"),
        html.Button("Pay", id="pay"),
        html.Div(id="balance"),
        html.Div(id="hello"),
    ]
)

@callback(Output("hello", "children"), Input("login", "n_clicks"), State("user", "value"))
def login(_, user):
    global current
    current = user  # expect: DS101
    session["user"] = user
    session.permanent = True
    flask.g.user = user
    login_user(user)
    return f"Hello {current_user}"


@callback(Output("balance", "children"), Input("pay", "n_clicks"), State("amount", "value"))
def pay(_, amount):
    user = session["user"]
    accounts[user] -= float(amount)  # expect: DS103
    entry = {"user": user}
    entry["amount"] = amount
    audit.append(entry)  # expect: DS106
    response = ctx.response
    response.set_cookie("last", str(amount))
    return accounts[user]
