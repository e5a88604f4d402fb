from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
from functools import wraps


def protect(app, users):
    attempts = 0
    blocked = None
    token = ""

    def logged(function):
        @wraps(function)
        def inner(*args, **kwargs):
            nonlocal attempts
            attempts = attempts + 1  # expect: DS102
            return function(*args, **kwargs)

        return inner

    @app.callback(Output("who", "children"), Input("login", "n_clicks"), State("user", "value"))
    @logged
    def login(_, user):  
        nonlocal blocked, token
        if user not in users:
            blocked = user  # expect: DS102
            return "no"
        token = user[::-1]  # expect: DS102
        users.remove(user)  # expect: DS106
        return token

    @app.callback(Output("left", "children"), Input("login", "n_clicks"))
    def left(_):
        names = sorted(users)
        names.remove(blocked)
        return names
