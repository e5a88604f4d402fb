import dash
from dash import Input, Output, State, callback, dcc, html
from utils_missing import client

dash.register_page(__name__, path="/nested")
KEYS = ["a", "b"]
buckets = {key: [] for key in KEYS}
totals = dict.fromkeys(KEYS, 0)
matrix = [[0] * 3 for _ in range(3)]

layout = html.Div([dcc.Dropdown(id="k"), html.Div(id="out"), html.Div(id="m")])

def fill(key, value):
    def put():
        buckets[key].append(value)

    put()
    return len(buckets[key])


@callback(Output("out", "children"), Input("k", "value"))
def choose(key):
    n = fill(key, 1)  # expect: DS106
    totals[key] += n  # expect: DS103
    mine = {each: list(values) for each, values in buckets.items()}
    mine[key].append(2)
    client.send(key)
    return n


@callback(Output("m", "children"), Input("k", "value"))
def move(key):
    matrix[0][1] = key  # expect: DS104
    row = matrix[1]
    row[0] = 1  # expect: DS104
    flat = [cell for line in matrix for cell in line]
    flat[0] = 5
    for line in matrix:
        line.append(0)  # expect: DS106
    return str(flat)
