from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import itertools

ids = itertools.count()
queue_ = []
waiting = {"n": 0}


def pending(limit):
    while queue_ and limit:
        yield queue_.pop()
        limit -= 1


def squares(n):
    found = []
    for i in range(n):
        found.append(i * i)
        yield found


app = Dash(__name__)
app.layout = html.Div([html.Button("Go", id="go"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("go", "n_clicks"))
def work(n):
    done = []
    for each in pending(3):  # expect: DS106
        done.append(each)
    return str(done)


@callback(Output("p", "children"), Input("go", "n_clicks"))
def more(n):
    key = next(ids)
    last = list(squares(n))[-1]
    last.append(key)
    waiting["n"] = sum(1 for _ in squares(n))  # expect: DS104
    return len(last)
