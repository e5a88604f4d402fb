import dash
from dash import Input, Output, State, callback, dcc, html
import state
from state import history, select

layout = html.Div([dcc.RadioItems(["a", "b"], "a", id="tab"), dcc.Dropdown(id="pick"), html.Div(id="title"), html.Div(id="out"), html.Button("Back", id="back")])

@callback(Output("out", "children"), Input("pick", "value"))
def choose(value):
    select(value)  # expect: DS101
    history.append(value)  # expect: DS106
    return state.read()


@callback(Output("back", "children"), Input("back", "n_clicks"))
def back(_):
    state.selection = history.pop()  # expect: DS105, DS106
    past = list(history)
    past.pop()
    return str(past)
