import uuid

import dash
from dash import ALL, Input, MATCH, Output, State, callback, ctx, dcc, html

app = dash.Dash(__name__)
todos = {}
order = []


def render(todo_id):
    todo = todos[todo_id]
    return html.Li([dcc.Checklist(["done"], ["done"] if todo["done"] else [], id={"type": "done", "index": todo_id}), todo["text"]])


app.layout = html.Div([dcc.Input(id="new"), html.Button("Add", id="add"), html.Ul(id="list"), html.Div(id={"type": "x", "index": 0})])


@callback(Output("list", "children"), Input("add", "n_clicks"), State("new", "value"), State("list", "children"))
def add(n, text, children):
    children = children or []
    if not n:
        return children
    key = str(uuid.uuid4())
    todos[key] = {"text": text, "done": False}  # expect: DS104
    order.append(key)  # expect: DS106
    children.append(render(key))
    return children


@callback(Output({"type": "x", "index": MATCH}, "children"), Input({"type": "done", "index": MATCH}, "value"))
def toggle(value):
    key = ctx.triggered_id["index"]
    todo = todos[key]
    todo["done"] = bool(value)  # expect: DS104
    return dash.no_update


@callback(Output("new", "placeholder"), Input({"type": "done", "index": ALL}, "value"))
def summary(values):
    done = sum(bool(value) for value in values)
    state = {"done": done, "all": len(values)}
    state["rest"] = state["all"] - state["done"]
    return "{rest} to do".format(**state)
