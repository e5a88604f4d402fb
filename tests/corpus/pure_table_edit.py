from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd

app = Dash(__name__)
COLUMNS = [{"name": "a", "id": "a"}]
frame = pd.DataFrame({"a": [1, 2]})
app.layout = html.Div([dash_table.DataTable(frame.to_dict("records"), COLUMNS, id="t"), html.Button(id="add"), dcc.Store(id="s")])

@callback(
    Output("t", "data"),
    Input("add", "n_clicks"),
    State("t", "data"),
    State("t", "columns"),
    prevent_initial_call=True,
)
def add_row(_, rows, columns):
    rows.append({c["id"]: "" for c in columns})
    rows[0]["a"] = 5
    del rows[1:]
    return rows


@callback(Output("t", "columns"), Input("add", "n_clicks"), State("t", "columns"))
def add_column(n, existing):
    existing.append({"name": f"c{n}", "id": f"c{n}"})
    columns = COLUMNS + existing
    columns[0] = {"name": "x", "id": "x"}
    copied = [dict(c) for c in COLUMNS]
    copied[0]["name"] = "y"
    return columns


@callback(Output("s", "data"), Input("t", "data"), State("s", "data"))
def remember(rows, data):
    data = data or {"n": 0, "rows": []}
    data["n"] += 1
    data["rows"] += rows
    data.setdefault("first", rows[0])
    df = pd.DataFrame(rows)
    df["a"] = pd.to_numeric(df["a"])
    df.at[0, "a"] = 0
    return data
