from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
from dash import Patch, set_props

app = Dash(__name__)
rows = [{"id": 1}]
total = 0
app.layout = html.Div([html.Button("Add", id="add"), dash_table.DataTable(id="t"), html.Div(id="msg"), dcc.Graph(id="f")])

@callback(Output("t", "data"), Input("add", "n_clicks"))
def add(n):
    patched = Patch()
    patched.append({"id": n})
    patched[0]["id"] = 5
    del patched[1]
    set_props("msg", {"children": f"{n}"})
    return patched


@callback(Output("f", "figure"), Input("add", "n_clicks"))
def figure(n):
    patched = Patch()
    patched["layout"]["title"]["text"] = str(n)
    patched["data"][0]["x"].extend([n])
    return patched


@callback(Output("msg", "title"), Input("add", "n_clicks"))
def message(n):
    global total
    total = total + n  # expect: DS101
    rows.extend([{"id": n}])  # expect: DS106
    rows[0].update(id=n)  # expect: DS106
    return str(total)
