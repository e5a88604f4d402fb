import logging

import pandas as pd
from dash import Dash, Input, Output, State, dash_table, dcc, html

logger = logging.getLogger(__name__)


def create_app(path="inventory.xlsx"):
    app = Dash(__name__)
    stock = pd.read_excel(path)
    selected = None
    total_views = 0
    history = []

    app.layout = html.Div(
        [
            dcc.Dropdown(stock["item"].unique(), id="item"),
            dash_table.DataTable(id="table", editable=True),
            html.Div(id="status"),
            html.Button("Save", id="save"),
        ]
    )

    @app.callback(Output("table", "data"), Input("item", "value"))
    def show(item):
        nonlocal selected, total_views
        selected = item  # expect: DS102
        total_views += 1  # expect: DS103
        logger.info("showing %s", item)
        return stock[stock["item"] == item].to_dict("records")

    @app.callback(Output("status", "children"), Input("save", "n_clicks"), State("table", "data"), prevent_initial_call=True)
    def save(_, rows):
        changed = pd.DataFrame(rows)
        history.append(changed)  # expect: DS106
        nonlocal stock
        stock = pd.concat([stock, changed])  # expect: DS102

        problems = []

        def check(row):
            nonlocal problems
            if row["amount"] < 0:
                problems = [*problems, row["item"]]

        for row in rows:
            check(row)
        return f"{selected}: {len(problems)} problems"

    return app


if __name__ == "__main__":
    create_app().run()
