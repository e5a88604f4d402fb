import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
import numpy as np
import pandas as pd

app = dash.Dash(__name__)
df = pd.read_csv("flights.csv")
df["date"] = pd.to_datetime(df["date"])
YEARS = sorted(df["year"].unique())
cache = {}
for year in YEARS:
    cache[year] = df[df["year"] == year]

app.layout = html.Div([dcc.Dropdown(id="year"), dcc.Graph(id="g"), html.Div(id="t")])

@app.callback(
    dash.dependencies.Output('g', 'figure'),
    [dash.dependencies.Input('year', 'value')])
def update_graph(year):
    dff = cache[year].copy()
    dff['ratio'] = dff['a'] / dff['b']
    dff.sort_values('ratio', inplace=True)
    traces = []
    for name in dff['carrier'].unique():
        part = dff[dff['carrier'] == name]
        traces.append(dict(x=part['date'], y=part['ratio'], name=name))
    return {'data': traces, 'layout': dict(title=str(year))}


@app.callback(Output('t', 'children'), [Input('year', 'value')])
def table(year):
    df = cache[year].groupby('carrier').mean().reset_index()
    df['rank'] = np.arange(len(df))
    df.columns = [c.title() for c in df.columns]
    return df.to_string()

if __name__ == "__main__":
    app.run_server(debug=True)
