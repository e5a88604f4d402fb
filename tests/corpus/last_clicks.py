import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
app = dash.Dash(__name__)
server = app.server
last_submit = 0
last_reset = 0
limits = [0, 10]
app.layout = html.Div([html.Button("Submit", id="submit"), html.Button("Reset", id="reset"), dcc.Input(id="val", type="text"), html.Div(id="out")])

@app.callback(
    Output("out", "children"),
    [Input("submit", "n_clicks_timestamp"), Input("reset", "n_clicks_timestamp")],
    [State("val", "value")],
)
def which(submit, reset, val):
    global last_submit, last_reset
    if int(submit or 0) > last_submit:
        last_submit = int(submit)  # expect: DS101
        lo, hi = limits
        hi += 1
        return f"{val} {lo} {hi}"
    elif int(reset or 0) > last_reset:
        last_reset = int(reset)  # expect: DS101
        limits[:] = [0, 10]  # expect: DS104
        return ""
    raise dash.exceptions.PreventUpdate

if __name__ == "__main__":
    app.run_server(debug=True)
