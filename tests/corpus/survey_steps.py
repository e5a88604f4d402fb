from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
answers = {}
RESULTS = {"yes": 0, "no": 0}
step = 0
QUESTIONS = ["Like Dash?", "Like Python?"]
app = Dash(__name__)
app.layout = html.Div([html.Div(id="q"), html.Button("Yes", id="yes"), html.Button("No", id="no"), html.Div(id="done"), dcc.Store(id="store")])

@app.callback(
    [Output("q", "children"), Output("done", "children")],
    [Input("yes", "n_clicks"), Input("no", "n_clicks")],
    [State("store", "data")],
)
def answer(yes, no, data):
    global step
    data = data or {}
    data[step] = ctx.triggered_id
    if ctx.triggered_id in RESULTS:
        RESULTS[ctx.triggered_id] += 1  # expect: DS103
        answers[QUESTIONS[step]] = ctx.triggered_id  # expect: DS104
        step += 1  # expect: DS103
    texts = QUESTIONS + ["Thanks"]
    texts.reverse()
    return texts[-step], f"{RESULTS['yes']} yes"
