from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import heapq
import bisect
import operator
import random

heap, ordered = [], []
table = {"a": 1}
deck = list(range(52))
app = Dash(__name__)
app.layout = html.Div([dcc.Input(id="n", type="text"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("n", "value"))
def push(n):
    heapq.heappush(heap, n)  # expect: DS106
    bisect.insort(ordered, n)  # expect: DS106
    operator.setitem(table, "a", n)  # expect: DS106
    mine = list(heap)
    heapq.heapify(mine)
    heapq.heappop(mine)
    return str(heapq.nsmallest(3, heap))


@callback(Output("p", "children"), Input("n", "value"))
def deal(n):
    random.shuffle(deck)  # expect: DS106
    hand = random.sample(deck, 5)
    random.shuffle(hand)
    table.__setitem__("b", n)  # expect: DS106
    rest = sorted(set(deck) - set(hand))
    rest.pop()
    return str(hand)
