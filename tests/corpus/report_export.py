import base64
import io
import os
import tempfile
from pathlib import Path

import pandas as pd
from dash import Dash, Input, Output, State, dcc, html, no_update

HERE = Path(__file__).parent
OUT = HERE / "reports"
app = Dash(__name__)
sales = pd.read_csv(HERE / "sales.csv")

app.layout = html.Div([html.Button("Export", id="export"), dcc.Upload(id="up"), dcc.Download(id="dl"), html.Div(id="done")])


@app.callback(Output("done", "children"), Input("export", "n_clicks"), prevent_initial_call=True)
def export(_):
    sales.to_excel(OUT / "report.xlsx", index=False)  # expect: DS112
    with open(os.path.join("reports", "log.txt"), "a") as log:  # expect: DS112
        log.write("exported\n")
    return "done"


@app.callback(Output("dl", "data"), Input("export", "n_clicks"))
def download(_):
    buffer = io.BytesIO()
    sales.to_csv(buffer)
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        sales.to_csv(file.name)
    return dcc.send_data_frame(sales.to_csv, "sales.csv")


@app.callback(Output("up", "contents"), Input("up", "contents"), State("up", "filename"))
def upload(contents, name):
    if contents is None:
        return no_update
    data = base64.b64decode(contents.split(",")[1])
    (HERE / "last_upload.bin").write_bytes(data)  # expect: DS112
    (OUT / f"{name}.bin").write_bytes(data)
    return None
