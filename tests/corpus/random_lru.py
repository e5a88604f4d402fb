from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import datetime
import functools
import sqlite3
import uuid

import numpy as np
import pandas as pd


@functools.lru_cache
def token():
    return uuid.uuid4().hex  # expect: DS110


@functools.lru_cache
def noise(n):
    return tuple(np.random.rand(n))  # expect: DS110


@functools.lru_cache
def orders(day):
    con = sqlite3.connect("shop.db")  # expect: DS110
    return tuple(con.execute("select * from orders where day = ?", (day,)))


@functools.lru_cache
def age(born):
    return (datetime.datetime.now() - born).days  # expect: DS110


@functools.lru_cache
def weekday(day):
    return day.strftime("%A")


@functools.lru_cache
def unused():
    return uuid.uuid4().hex


app = Dash(__name__)
app.layout = html.Div([dcc.DatePickerRange(id="d"), html.Div(id="o")])

@callback(Output("o", "children"), Input("d", "start_date"))
def show(day):
    day = datetime.date.fromisoformat(day)
    return f"{token()} {noise(3)} {orders(day)} {age(day)} {weekday(day)}"
