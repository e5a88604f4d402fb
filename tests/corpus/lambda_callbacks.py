from dash import Dash, Input, Output, State, dcc, html

app = Dash()
log, tags = [], set()
table = {}

app.layout = html.Div([dcc.Input(id="a"), dcc.Input(id="b"), html.Div(id="sum"), html.Div(id="tags"), html.Div(id="both")])

app.callback(Output("sum", "children"), Input("a", "value"), Input("b", "value"))(lambda a, b: float(a or 0) + float(b or 0))
app.callback(Output("tags", "children"), Input("a", "value"))(lambda a: [tags.add(a), ", ".join(tags)][1])  # expect: DS106
app.callback(Output("both", "children"), Input("b", "value"))(
    lambda b: table.setdefault(b, len(table))  # expect: DS110
)


def note(a):
    log.append(a)
    return a


app.callback(Output("a", "title"), Input("a", "value"), State("b", "value"))(lambda a, _: note(a))  # expect: DS106
app.callback(Output("b", "title"), Input("b", "value"))(lambda b: sorted(log, key=str)[:1])
