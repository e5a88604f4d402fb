from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd

EMPTY = {}


def rows(frame, keep=[], drop=["id"]):
    keep += ["name"]
    return frame[[c for c in keep if c not in drop]]


def layers(kind, known={}):
    if kind not in known:
        known[kind] = {"type": kind}
    return known[kind]


def tree(node, path=[]):
    path = path + [node]
    return [path, *(tree(child, path) for child in node.get("children", []))]


def shape(name, shapes=[], *, at=None):
    shapes.extend([name, at])
    return shapes


app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="name"), html.Div(id="a"), html.Div(id="b"), html.Div(id="c")])

@callback(Output("a", "children"), Input("name", "value"))
def first(name):
    frame = pd.DataFrame({"name": [name], "id": [1]})
    rows(frame, ["id"])
    return len(rows(frame))  # expect: DS108


@callback(Output("b", "children"), Input("name", "value"))
def second(name):
    layer = dict(layers(name))  # expect: DS108
    layer["name"] = name
    return str(layer) + str(tree({"children": []}))


@callback(Output("c", "children"), Input("name", "value"))
def third(name, extra=EMPTY):
    shape(name, [], at=1)
    return str(shape(name, at=2)) + str(extra)  # expect: DS108
