import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import pandas as pd
import plotly.graph_objs as go


def draw(frame, fig=go.Figure()):
    fig.add_trace(go.Scatter(x=frame["x"]))
    return fig


def style(kind, theme={"margin": {"l": 0}}):
    theme["margin"]["l"] = kind
    return {**theme}


def table(rows, columns=["a"], extra=None):
    columns = columns + (extra or [])
    columns.append("z")
    return pd.DataFrame(rows, columns=columns)


app = dash.Dash(__name__)
server = app.server
app.layout = html.Div([dcc.Dropdown(id="x"), dcc.Graph(id="g"), html.Div(id="s"), html.Div(id="t")])

@app.callback(Output("g", "figure"), [Input("x", "value")])
def figure(x):
    frame = pd.DataFrame({"x": [x]})
    draw(frame, go.Figure())
    return draw(frame)  # expect: DS108


@app.callback(Output("s", "style"), [Input("x", "value")])
def styled(x):
    return {**style(x, {"margin": {}}), **style(x)}  # expect: DS108


@app.callback(Output("t", "children"), [Input("x", "value")])
def rows(x, cells=[], names={"a"}):
    cells.extend(table([x]).values)  # expect: DS108
    names |= {x}  # expect: DS108
    return str(cells)

if __name__ == "__main__":
    app.run_server(debug=True)
