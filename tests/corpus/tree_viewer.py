from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import json

with open("tree.json") as source:
    TREE = json.load(source)
selected = TREE
app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="path"), html.Div(id="o"), dcc.Input(id="name", type="text"), html.Div(id="p")])

def walk(node, names):
    for name in names:
        node = next(child for child in node["children"] if child["name"] == name)
    return node


@callback(Output("o", "children"), Input("path", "value"))
def open_node(names):
    node = walk(TREE, names)
    node["open"] = True  # expect: DS104
    shown = {key: value for key, value in node.items() if key != "children"}
    shown["n"] = len(node["children"])
    return json.dumps(shown)


@callback(Output("p", "children"), Input("name", "value"))
def rename(name):
    global selected
    selected = walk(TREE, [name])  # expect: DS101
    selected["name"] = name  # expect: DS104
    copy = json.loads(json.dumps(TREE))
    copy["name"] = "x"
    return name
