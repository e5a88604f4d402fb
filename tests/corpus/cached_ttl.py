from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import os
from datetime import date

import pandas as pd
import requests
from cachetools import TTLCache, cached
from cachetools.func import ttl_cache


@cached(cache=TTLCache(maxsize=10, ttl=60))
def users(team):
    return requests.get(f"https://hr.example.org/{team}", timeout=3).json()  # expect: DS110


@ttl_cache(maxsize=128, ttl=600)
def today():
    return date.today().isoformat()  # expect: DS110


@cached({})
def squares(n):
    return [i * i for i in range(n)]


app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="t"), html.Div(id="o"), dcc.Slider(0, 10, id="n"), html.Div(id="p")])

@callback(Output("o", "children"), Input("t", "value"))
def show(team):
    found = users(team)
    found.sort(key=str)  # expect: DS109
    return [user["name"] for user in found] + [today()]


@callback(Output("p", "children"), Input("n", "value"))
def power(n):
    values = squares(n)
    values.append(n)  # expect: DS109
    mine = squares(n)[:3]
    mine.append(1)
    return str(mine)
