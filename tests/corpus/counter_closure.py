from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update

def make_counter():
    count = 0

    def increment():
        nonlocal count
        count += 1
        return count

    return increment


next_id = make_counter()
app = Dash(__name__)
app.layout = html.Div([html.Button("Go", id="go"), html.Div(id="out"), html.Div(id="more")])

@callback(Output("out", "children"), Input("go", "n_clicks"))
def press(_):
    local = make_counter()
    local()
    return next_id()  # expect: DS103


@callback(Output("more", "children"), Input("go", "n_clicks"))
def more(_):
    seen = 0

    def bump(by):
        nonlocal seen
        seen = seen + by

    for by in (1, 2, 3):
        bump(by)
    return seen
