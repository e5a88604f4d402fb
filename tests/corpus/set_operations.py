import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
seen, blocked = set(), {"x"}
flags = {}
bits = bytearray(8)
app = dash.Dash(__name__)
server = app.server
app.layout = html.Div([dcc.Input(id="u", type="text"), html.Div(id="o"), html.Div(id="p")])

@app.callback(Output("o", "children"), [Input("u", "value")])
def visit(user):
    if user in blocked:
        raise dash.exceptions.PreventUpdate
    seen.update([user])  # expect: DS106
    others = seen - {user}
    others.add("me")
    blocked.symmetric_difference_update({user})  # expect: DS106
    return str(others)


@app.callback(Output("p", "children"), [Input("u", "value")])
def flag(user):
    global seen
    flags.update({user: True})  # expect: DS106
    seen |= {user}  # expect: DS103
    bits[0] = 1  # expect: DS104
    union = seen | blocked
    union.discard(user)
    return len(union)

if __name__ == "__main__":
    app.run_server(debug=True)
