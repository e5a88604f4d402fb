import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import base64
import os
import uuid
import zipfile

import pandas as pd

UPLOADS = "uploads"
os.makedirs(UPLOADS, exist_ok=True)
app = dash.Dash(__name__)
server = app.server
app.layout = html.Div([dcc.Upload(id="file", children="Drop a file"), html.Div(id="list"), html.Button("Zip", id="zip"), dcc.Download(id="dl")])

def store(name, content):
    with open(os.path.join(UPLOADS, name), "wb") as file:
        file.write(base64.b64decode(content))


def pack(names, target):
    with zipfile.ZipFile(target, "w") as archive:
        for name in names:
            archive.write(name)


@app.callback(Output("list", "children"), [Input("file", "contents")], [State("file", "filename")])
def upload(content, name):
    store(name, content)
    store("latest.bin", content)  # expect: DS112
    pd.read_csv(os.path.join(UPLOADS, name)).to_parquet("uploads/current.parquet")  # expect: DS112
    return os.listdir(UPLOADS)


@app.callback(Output("dl", "data"), [Input("zip", "n_clicks")], [State("file", "filename")])
def bundle(_, name):
    pack([name], f"{uuid.uuid4()}.zip")
    pack([name], "bundle.zip")  # expect: DS112
    return dcc.send_file("bundle.zip")

if __name__ == "__main__":
    app.run_server(debug=True)
