from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd


def sales_tab(app, path):
    frame = pd.read_csv(path)
    zoom = [0, 1]
    mode, previous = "sum", None

    def totals(how):
        frame["total"] = frame["price"] * frame["count"]
        return frame.groupby("region")["total"].agg(how)

    @app.callback(Output("totals", "children"), Input("how", "value"))
    def show(how):
        nonlocal mode, previous
        previous, mode = mode, how  # expect: DS102, DS102
        return str(totals(how))  # expect: DS104

    @app.callback(Output("chart", "figure"), Input("chart", "relayoutData"))
    def rezoom(data):
        zoom[0] = data.get("x0")  # expect: DS104
        part = frame[frame["price"] > zoom[0]]
        part["x"] = 1
        nonlocal mode
        mode = "mean"  # expect: DS102
        return {"data": part.to_dict("records")}

    return html.Div([dcc.Dropdown(["sum", "mean"], id="how"), html.Div(id="totals"), dcc.Graph(id="chart")])


app = Dash(__name__)
app.layout = sales_tab(app, "sales.csv")
