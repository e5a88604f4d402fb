from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import functools
import random
import time

import numpy as np
import requests


@functools.lru_cache
def sample(n):
    return np.random.normal(size=n)  # expect: DS110


@functools.lru_cache(maxsize=100)
def rate(currency):
    answer = requests.get("https://rates.example.org", params={"c": currency}, timeout=5)  # expect: DS110
    return answer.json()["rate"]


@functools.cache
def started():
    return time.time()  # expect: DS110


@functools.lru_cache
def primes(limit):
    return tuple(n for n in range(2, limit) if all(n % d for d in range(2, n)))


@functools.lru_cache
def draw_card(player):
    return random.choice(["ace", "king"])  # expect: DS110


app = Dash(__name__)
app.layout = html.Div([dcc.Slider(0, 10, id="n"), html.Div(id="out")])

@callback(Output("out", "children"), Input("n", "value"))
def show(n):
    values = sample(n)
    values.sort()  # expect: DS109
    values[0] = 0  # expect: DS109
    doubled = sample(n) * 2
    doubled[0] = 1
    return f"{doubled.mean() * rate('EUR')} {started()} {primes(n)[-1:]} {draw_card('a')}"
