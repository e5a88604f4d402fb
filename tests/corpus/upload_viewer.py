import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
import base64
import datetime
import io
import pandas as pd

app = dash.Dash(__name__)
data = None
filename = ""
app.layout = html.Div([dcc.Upload(id="up", children="Drop a file"), html.Div(id="out"), dcc.Dropdown(id="cols"), dcc.Graph(id="plot")])

def parse(contents, name, date):
    global data, filename
    kind, body = contents.split(",")
    filename = name
    if "csv" in name:
        data = pd.read_csv(io.StringIO(base64.b64decode(body).decode("utf-8")))
    else:
        data = pd.read_excel(io.BytesIO(base64.b64decode(body)))
    return html.H5(datetime.datetime.fromtimestamp(date))


@app.callback(Output('out', 'children'),
              [Input('up', 'contents')],
              [State('up', 'filename'),
               State('up', 'last_modified')])
def update(contents, name, date):
    if contents is not None:
        return parse(contents, name, date)  # expect: DS101, DS101, DS101


@app.callback(Output('plot', 'figure'), [Input('cols', 'value')])
def plot(col):
    df = data.copy()
    df["sum"] = df[col].cumsum()
    data.dropna(inplace=True)  # expect: DS106
    return {"data": [{"x": df.index, "y": df["sum"]}]}

if __name__ == "__main__":
    app.run_server(debug=True)
