from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import plotly.graph_objects as go

app = Dash(__name__)
fig = go.Figure(go.Bar(x=["a"], y=[1]))
layout_options = go.Layout(title="Sales")
indicator = go.FigureWidget()
app.layout = html.Div([dcc.Dropdown(id="k"), dcc.Graph(id="g"), dcc.Graph(id="h")])

@callback(Output("g", "figure"), Input("k", "value"))
def recolor(kind):
    fig.layout.title = kind  # expect: DS105
    fig.data[0].marker.color = "red"  # expect: DS105
    mine = go.Figure(fig)
    mine.layout.title = kind
    return fig


@callback(Output("h", "figure"), Input("k", "value"))
def other(kind):
    layout_options.title = kind  # expect: DS105
    indicator.layout.width = 3  # expect: DS105
    options = go.Layout(title=kind)
    options.title = "x"
    return go.Figure(layout=options)
