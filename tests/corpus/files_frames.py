from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.express as px

CSV = Path("data") / "edited.csv"
FOLDER = Path("uploads")
app = Dash(__name__)
app.layout = html.Div(
    [
        dash_table.DataTable(id="table"),
        html.Button("Save", id="save"),
        html.Div(id="out"),
        dcc.Graph(id="plot"),
        dcc.Input(id="name", type="text"),
        html.Div(id="img"),
    ]
)

@callback(Output("out", "children"), Input("save", "n_clicks"), State("table", "data"))
def save(_, rows):
    frame = pd.DataFrame(rows)
    frame["saved"] = True
    frame.to_csv(CSV, index=False)  # expect: DS112
    np.save("last.npy", frame["x"].to_numpy())  # expect: DS112
    text = frame.to_csv(index=False)
    return text.splitlines()[0]


@callback(Output("img", "children"), Input("plot", "figure"), State("name", "value"))
def picture(figure, name):
    fig = px.scatter(x=[1], y=[2])
    fig.write_html("assets/plot.html")  # expect: DS112
    fig.write_image(f"assets/{name}.png")
    CSV.touch()  # expect: DS112
    (FOLDER / name).mkdir(parents=True)
    (FOLDER / name / "x.txt").write_text(name)
    return fig.to_json()
