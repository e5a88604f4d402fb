import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
state = None
counter = 0
log = []
app = dash.Dash(__name__)
app.layout = html.Div([html.Button("A", id="a"), html.Div(id="o"), html.Div(id="p")])

@app.callback(Output("o", "children"), [Input("a", "n_clicks")])
def outer(n):
    def inner(value):
        global state
        state = value

    def add(value):
        result = []
        result.append(value)
        return result

    inner(n)  # expect: DS101
    return add(n)


@app.callback(Output("p", "children"), [Input("a", "n_clicks")])
def second(n):
    global counter, log
    if n:
        counter = n  # expect: DS101
    else:
        counter = 0  # expect: DS101
    log = log + [n]  # expect: DS101
    for counter in range(2):  # expect: DS101
        pass
    return str(log)

if __name__ == "__main__":
    app.run_server(debug=True)
