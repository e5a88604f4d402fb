import dash
from dash import Input, Output, State, callback, dcc, html
import store

dash.register_page(__name__, path="/tables")
opened = {}
layout = html.Div([dcc.Dropdown(id="name"), html.Div(id="t"), html.Div(id="s"), html.Div(id="u")])

@callback(Output("t", "children"), Input("name", "value"))
def show(name):
    frame = store.table(name)  # expect: DS110
    frame["n"] = range(len(frame))  # expect: DS109
    return len(frame)


@callback(Output("s", "children"), Input("name", "value"))
def explain(name):
    if name not in opened.keys():
        opened[name] = store.plan(name)  # expect: DS110, DS110
    return str(opened[name]) + str(store.schema(name))


@callback(Output("u", "children"), Input("name", "value"))
def local(name):
    seen = {}
    for part in name.split("."):
        if part not in seen:
            seen[part] = len(seen)
    return str(seen)
