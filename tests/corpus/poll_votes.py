from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import threading
from collections import Counter, defaultdict, deque

app = Dash(__name__)
lock = threading.Lock()
votes = Counter()
by_age = defaultdict(list)
latest = deque(maxlen=50)
closed = False
winner = None
OPTIONS = ("tabs", "spaces")

app.layout = html.Div(
    [
        dcc.RadioItems(["a", "b"], "a", id="choice"),
        dcc.Slider(0, 10, id="age"),
        html.Div(id="result"),
        html.Button("Close", id="close"),
        html.Div(id="admin"),
    ]
)

@callback(Output("result", "children"), Input("choice", "value"), State("age", "value"))
def vote(choice, age):
    with lock:
        votes[choice] += 1  # expect: DS103
        by_age[age].append(choice)  # expect: DS106
        latest.appendleft((choice, age))  # expect: DS106
    shares = {option: votes[option] / sum(votes.values()) for option in OPTIONS}
    shares["total"] = 1
    return str(shares)


@callback(Output("admin", "children"), Input("close", "n_clicks"))
def close(n):
    global closed, winner
    if not n:
        return no_update
    closed = True  # expect: DS101
    winner, _ = votes.most_common(1)[0]  # expect: DS101
    votes.clear()  # expect: DS106
    return winner
