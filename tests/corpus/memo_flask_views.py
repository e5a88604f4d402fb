import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import os
import flask
from flask_caching import Cache

app = dash.Dash(__name__)
server = app.server
cache = Cache()
cache.init_app(app.server, config={"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": os.environ.get("REDIS_URL", "")})
locale = {"lang": "en"}
users = []
LABELS = {"en": "Hello", "de": "Hallo"}
app.layout = html.Div([dcc.Dropdown(id="lang"), html.Div(id="o"), dcc.Input(id="user", type="text"), html.Div(id="p"), html.Div(id="q")])

@cache.memoize()
def greeting(name):
    return LABELS[locale["lang"]] + name  # expect: DS113


@cache.memoize(timeout=30)
def everybody():
    return ", ".join(users)  # expect: DS113


@cache.memoize()
def agent(page):
    return flask.request.user_agent.string + page  # expect: DS113


@cache.memoize()
def label(lang):
    return LABELS[lang]


@app.callback(Output("o", "children"), [Input("lang", "value")])
def language(lang):
    locale["lang"] = lang  # expect: DS104
    return greeting("Ada") + label(lang)


@app.callback(Output("p", "children"), [Input("user", "value")])
def join(user):
    users.append(user)  # expect: DS106
    cache.delete_memoized(everybody)
    return everybody()


@app.callback(Output("q", "children"), [Input("user", "value")])
def browser(user):
    return agent("/")

if __name__ == "__main__":
    app.run_server(debug=True)
