from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd

grid = pd.DataFrame([[0] * 3] * 3, columns=list("abc"))
undo = []
meta = {"rows": 3, "cols": ["a", "b", "c"]}
app = Dash(__name__)
app.layout = html.Div([dash_table.DataTable(id="t"), html.Button("X", id="x"), html.Div(id="o")])

@callback(Output("t", "data"), Input("t", "data_timestamp"), State("t", "data"))
def edit(_, rows):
    global grid
    undo.append(grid.copy())  # expect: DS106
    grid = pd.DataFrame(rows)  # expect: DS101
    grid["sum"] = grid.sum(axis=1)  # expect: DS104
    meta.update({"rows": len(rows)})  # expect: DS106
    own = pd.DataFrame(rows)
    own.insert(0, "n", 1)
    return own.to_dict("records")


@callback(Output("o", "children"), Input("x", "n_clicks"))
def revert(_):
    global grid
    if undo:
        grid = undo.pop()  # expect: DS101, DS106
    cols = meta["cols"]
    cols.append("d")  # expect: DS106
    return str(meta["cols"] + ["e"])
