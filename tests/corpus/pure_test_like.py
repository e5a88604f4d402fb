import dash
from dash import Input, Output, State, callback, dcc, html
from functools import partial
from itertools import groupby

dash.register_page(__name__, path="/pure")
THEMES = ({"name": "a"}, {"name": "b"})
SORTED = sorted(["b", "a"])
layout = html.Div([dcc.Dropdown(id="t"), html.Div(id="o"), html.Div(id="p"), html.Div(id="q")])

def formatted(value, digits, prefix=""):
    parts = [prefix]
    parts.append(f"{value:.{digits}f}")
    return "".join(parts)


euros = partial(formatted, digits=2, prefix="EUR ")


@callback(Output("o", "children"), Input("t", "value"))
def theme(t):
    found = next(each for each in THEMES if each["name"] == t)
    shown = {**found, "used": True}
    shown["name"] = t.upper()
    return str(shown)


@callback(Output("p", "children"), Input("t", "value"))
def money(t):
    text = euros(float(t))
    text += "!"
    letters = list(text)
    letters.reverse()
    return "".join(letters)


@callback(Output("q", "children"), Input("t", "value"))
def groups(t):
    grouped = {}
    for key, values in groupby(SORTED, key=len):
        grouped.setdefault(key, []).extend(values)
        grouped[key].sort()
    pairs = list(zip(SORTED, SORTED))
    pairs.append(("x", "y"))
    ordered = SORTED + [t]
    ordered.sort()
    return str(grouped)
