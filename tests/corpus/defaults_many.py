import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State

app = dash.Dash(__name__)
app.layout = html.Div(
    [
        dcc.Input(id="a", type="text"),
        dcc.Input(id="b", type="text"),
        dcc.Input(id="c", type="text"),
        dcc.Input(id="d", type="text"),
        html.Div(id="u"),
        html.Div(id="v"),
        html.Div(id="w"),
        html.Div(id="x"),
    ]
)

@app.callback(Output("u", "children"), [Input("a", "value")])
def collect(value, seen=set()):
    seen.add(value)  # expect: DS108
    return len(seen)


@app.callback(Output("v", "children"), [Input("b", "value")])
def count(value, counts={"n": 0}):
    counts["n"] += 1  # expect: DS108
    counts[value] = counts["n"]  # expect: DS108
    return str(counts)


def push(value, stack=[]):
    stack.insert(0, value)
    return stack


def pure(value, options={"sep": "-"}, words=("a", "b")):
    return options["sep"].join([value, *words])


def fresh(value, into=None):
    if into is None:
        into = []
    into.append(value)
    return into


@app.callback(Output("w", "children"), [Input("c", "value")])
def stack(value):
    own = push(value, [])
    own.append(pure(value))
    return push(value) + fresh(value)  # expect: DS108


@app.callback(Output("x", "children"), [Input("d", "value")])
def last(value, *, memory=dict()):
    memory.update(last=value)  # expect: DS108
    return memory["last"]

if __name__ == "__main__":
    app.run_server(debug=True)
