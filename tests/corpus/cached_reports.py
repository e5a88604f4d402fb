from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd
from flask_caching import Cache

app = Dash(__name__)
cache = Cache(app.server, config={"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": "cache-directory"})
TIMEOUT = 60
region = "EU"
filters = {"year": 2020}

app.layout = html.Div(
    [
        dcc.Dropdown(id="region"),
        dcc.Slider(0, 10, id="year"),
        dash_table.DataTable(id="table"),
        html.Div(id="size"),
        html.Button("Forget", id="forget"),
    ]
)

@cache.memoize(timeout=TIMEOUT)
def query(year):
    frame = pd.read_csv("orders.csv")
    frame = frame[frame["region"] == region]  # expect: DS113
    return frame[frame["year"] == year]


@cache.memoize()
def totals():
    frame = pd.read_csv("orders.csv")
    return frame[frame["year"] == filters["year"]].sum()  # expect: DS113


@callback(Output("table", "data"), Input("region", "value"), Input("year", "value"))
def show(value, year):
    global region
    region = value  # expect: DS101
    filters["year"] = year  # expect: DS104
    rows = query(year)
    rows["vat"] = rows["price"] * 0.2
    return rows.to_dict("records")


@callback(Output("size", "children"), Input("forget", "n_clicks"))
def forget(_):
    cache.clear()
    cache.set("last", 1)
    return str(totals())
