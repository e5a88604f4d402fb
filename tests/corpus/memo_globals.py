import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
from dash_stash import Stash

app = dash.Dash(__name__)
server = app.server
stash = Stash(app)
rates = {"EUR": 1.0}
offset = 0
mode = "fast"
factors = [1, 2]
NAMES = {"a": "Alpha"}


@stash.memo
def convert(amount):
    return amount * rates["EUR"] + offset  # expect: DS113, DS113


@stash.memo(ttl="1h")
def heavy(n):
    if mode == "fast":  # expect: DS113
        return n
    return sum(factor * n for factor in factors)  # expect: DS113


@stash.memo
def title(name):
    return NAMES[name]


app.layout = html.Div([dcc.Input(id="rate", type="text"), html.Div(id="out"), dcc.RadioItems(["a", "b"], "a", id="mode"), html.Div(id="done")])

@app.callback(Output("out", "children"), [Input("rate", "value")])
def set_rate(rate):
    global offset
    rates["EUR"] = float(rate)  # expect: DS104
    offset = 1  # expect: DS101
    return convert(3)


@app.callback(Output("done", "children"), [Input("mode", "value")])
def set_mode(value):
    global mode
    mode = value  # expect: DS101
    factors.append(len(value))  # expect: DS106
    factors[0] = 3  # expect: DS104
    stash.session["mode"] = value
    stash.app.modify("n", lambda n: n + 1, default=0)
    return heavy(2) + len(title("a"))
