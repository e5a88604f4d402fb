import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import hashlib
import json

app = dash.Dash(__name__)
server = app.server
figures, texts = {}, {}
thumbs = {}
stats = {}
app.layout = html.Div([dcc.Dropdown(id="a"), dcc.Dropdown(id="b"), dcc.Graph(id="g"), html.Div(id="t"), html.Div(id="u"), html.Div(id="v")])

def key_of(*parts):
    return hashlib.md5(json.dumps(parts).encode()).hexdigest()


@app.callback(Output("g", "figure"), [Input("a", "value"), Input("b", "value")])
def figure(a, b):
    key = key_of(a, b)
    if key in figures:
        return figures[key]
    fig = {"data": [{"x": a, "y": b}]}
    figures[key] = fig  # expect: DS110
    return fig


@app.callback(Output("t", "children"), [Input("a", "value")])
def text(a):
    try:
        return texts[a]
    except KeyError:
        pass
    texts[a] = a.upper()  # expect: DS110
    return texts[a]


@app.callback(Output("u", "children"), [Input("b", "value")])
def thumb(b):
    found = thumbs.get(b, None)
    if not found:
        found = thumbs[b] = b[:3]  # expect: DS110
    return found


@app.callback(Output("v", "children"), [Input("a", "value")], [State("b", "value")])
def stat(a, b):
    stats[(a, b)] = len(a) - len(b)  # expect: DS104
    if (b, a) not in stats:
        return ""
    return str(stats[(b, a)])

if __name__ == "__main__":
    app.run_server(debug=True)
