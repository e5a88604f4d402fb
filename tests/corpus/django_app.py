from django_plotly_dash import DjangoDash
import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State

app = DjangoDash("Simple")
picked = []
app.layout = html.Div([dcc.Dropdown(id="c"), html.Div(id="o"), html.Div(id="p")])

@app.expanded_callback(Output("o", "children"), [Input("c", "value")])
def chosen(value, session_state=None, **kwargs):
    picked.append(value)  # expect: DS106
    if session_state is not None:
        session_state["n"] = session_state.get("n", 0) + 1
    return value


@app.callback(dash.dependencies.Output("p", "children"), [dash.dependencies.Input("c", "value")])
def other(value):
    rows = [value]
    rows += picked
    return str(rows)
