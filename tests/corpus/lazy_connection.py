from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import sqlite3
import psycopg2
import redis

_conn = None
_pool = None
_frame = None


def conn():
    global _conn
    if _conn is None:
        _conn = psycopg2.connect("dbname=x")
    return _conn


def cache():
    global _pool
    _pool = _pool or redis.Redis()
    return _pool


def frame():
    global _frame
    if _frame is None:
        _frame = conn().cursor().fetchall()
    return _frame


app = Dash(__name__)
app.layout = html.Div([dcc.Input(id="a", type="text"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("a", "value"))
def query(a):
    with conn() as connection, connection.cursor() as cursor:
        cursor.execute("select 1 where a = %s", (a,))
        rows = cursor.fetchall()
    rows.append(a)
    cache().set("a", a)
    return str(rows)


@callback(Output("p", "children"), Input("a", "value"))
def everything(a):
    return len(frame())  # expect: DS101
