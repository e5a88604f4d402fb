import dash
from dash import Input, Output, State, callback, dcc, html

dash.register_page(__name__, path="/aliases")
layout = html.Div([dcc.Input(id="a", type="text"), dcc.Input(id="b", type="text"), html.Div(id="o"), html.Div(id="p"), html.Div(id="q")])

def keep(value, box=[]):
    current = box
    current.append(value)
    return current


def nested(value, tree={"leaf": []}):
    leaf = tree["leaf"]
    leaf.append(value)
    return leaf


def copied(value, box=[]):
    current = list(box)
    current.append(value)
    return current


def renamed(value, box=[]):
    box = [*box, value]
    box.append(1)
    return box


@callback(Output("o", "children"), Input("a", "value"))
def one(a):
    return keep(a) + copied(a)  # expect: DS108


@callback(Output("p", "children"), Input("b", "value"))
def two(b):
    return nested(b) + renamed(b)  # expect: DS108


@callback(Output("q", "children"), Input("a", "value"), Input("b", "value"))
def three(a, b, pairs={}, rest=[]):
    pairs[a] = b  # expect: DS108
    for each in (a, b):
        rest.append(each)  # expect: DS108
    del pairs[a]  # expect: DS108
    return str(pairs)
