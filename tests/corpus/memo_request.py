from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import flask
from flask import request, session
from flask_caching import Cache

app = Dash(__name__)
cache = Cache(app.server, config={"CACHE_TYPE": "SimpleCache"})
app.layout = html.Div([dcc.Input(id="q", type="text"), html.Div(id="out"), html.Div(id="me"), html.Div(id="lang")])

@cache.memoize(60)
def search(query):
    user = session.get("user")  # expect: DS113
    return [f"{user}: {query}"]


@cache.cached(timeout=60, key_prefix="lang")
def language():
    return request.accept_languages.best  # expect: DS113


@cache.memoize()
def profile(user):
    return {"name": user}


@cache.memoize()
def ip_of(name):
    return f"{name} {flask.request.remote_addr}"  # expect: DS113


@callback(Output("out", "children"), Input("q", "value"))
def show(q):
    return search(q) + [ip_of(q)]


@callback(Output("me", "children"), Input("q", "value"))
def me(q):
    mine = profile(session["user"])
    mine["q"] = q
    return str(mine)


@callback(Output("lang", "children"), Input("q", "value"))
def lang(_):
    return language()
