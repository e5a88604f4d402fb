from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
from services import fetch_prices


def register_callbacks(app, config=None):
    last = {"region": None}
    clicks = 0
    ready = False
    best = None

    @app.callback(Output("prices", "data"), Input("region", "value"), State("token", "data"))
    def load(region, token):
        nonlocal ready, best
        ready = True  # expect: DS102
        rows = fetch_prices(region, token)
        last["region"] = region  # expect: DS104
        if rows:
            best = min(rows, key=lambda row: row["price"])  # expect: DS102
        return rows

    @app.callback(Output("count", "children"), Input("reload", "n_clicks"))
    def count(_):
        nonlocal clicks
        clicks += 1  # expect: DS103
        total = 0
        for _ in range(3):
            total += clicks
        return f"{clicks} reloads, {total}, {best}"
