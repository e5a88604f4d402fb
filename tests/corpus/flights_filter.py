# Old Dash: separate component packages, lists of Inputs.
import dash
import dash_core_components as dcc
import dash_html_components as html
import pandas as pd
import plotly.graph_objs as go
from dash.dependencies import Input, Output

external_stylesheets = ["https://codepen.io/chriddyp/pen/bWLwgP.css"]
app = dash.Dash(__name__, external_stylesheets=external_stylesheets)
df = pd.read_csv("flights.csv")
carriers = df["carrier"].unique()

app.layout = html.Div([
    dcc.Dropdown(id="carrier", options=[{"label": c, "value": c} for c in carriers], value="AA"),
    dcc.Graph(id="delays"),
    dcc.Graph(id="distances"),
])


@app.callback(Output("delays", "figure"), [Input("carrier", "value")])
def update_delays(carrier):
    global df
    df = df[df["carrier"] == carrier]  # expect: DS101
    return {"data": [go.Scatter(x=df["date"], y=df["delay"])], "layout": {"title": carrier}}


@app.callback(Output("distances", "figure"), [Input("carrier", "value")])
def update_distances(carrier):
    dff = df[df["carrier"] == carrier]
    dff["km"] = dff["distance"] * 1.609
    return {"data": [go.Histogram(x=dff["km"])]}


if __name__ == "__main__":
    app.run_server(debug=True)
