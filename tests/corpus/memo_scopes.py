from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
from dash_stash import Stash

app = Dash(__name__)
stash = Stash(app)
theme = "light"
weights = {"a": 1.0}
names: list[str] = []


class Limits:
    top = 10


@stash.memo
def styled(kind):
    return {"kind": kind, "theme": theme}  # expect: DS113


@stash.memo(ttl="1h", tags=["w"])
def weighted(n):
    total = 0
    for name in names:  # expect: DS113
        total += weights[name] * n  # expect: DS113
    return total


@stash.memo
def limited(n):
    return min(n, Limits.top)  # expect: DS113


@stash.memo
def constant(n):
    local = {"n": n}
    local["m"] = n * 2
    return local


app.layout = html.Div([dcc.RadioItems(["a", "b"], "a", id="t"), dcc.Input(id="n", type="text"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("t", "value"))
def switch(t):
    global theme
    theme = t  # expect: DS101
    weights[t] = 0.5  # expect: DS104
    return styled("a")["theme"]


@callback(Output("p", "children"), Input("n", "value"))
def add(n):
    names.append(n)  # expect: DS106
    Limits.top = 5  # expect: DS107
    result = constant(n)
    result["x"] = 1
    return weighted(1) + limited(2)
