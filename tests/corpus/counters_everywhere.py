import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
hits = 0
per_page = {}
sums = [0, 0]
last = None
app = dash.Dash(__name__)
server = app.server
app.layout = html.Div([dcc.Input(id="url", type="text"), html.Div(id="a"), html.Div(id="b"), html.Div(id="c"), html.Button("D", id="d")])

@app.callback(Output("a", "children"), [Input("url", "value")])
def visit(path):
    global hits
    hits += 1  # expect: DS103
    per_page[path] = per_page.get(path, 0) + 1  # expect: DS104
    return hits


@app.callback(Output("b", "children"), [Input("d", "n_clicks")])
def add(n):
    sums[0] += n  # expect: DS103
    sums[1] -= n  # expect: DS103
    mine = list(sums)
    mine[0] += n
    return str(mine)


@app.callback(Output("c", "children"), [Input("url", "value"), Input("d", "n_clicks")])
def text(path, n):
    total = hits
    total += n
    line = per_page.get(path)
    return f"{total} {line}"

if __name__ == "__main__":
    app.run_server(debug=True)
