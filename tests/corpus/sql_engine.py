from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import functools
import sqlite3

import pandas as pd
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite:///hr.db", pool_size=5)
Session = sessionmaker(bind=engine)
connection = None
employees = pd.read_sql("select * from employees", engine)
app = Dash(__name__)
app.layout = html.Div(
    [
        dcc.Dropdown(id="team"),
        dcc.Input(id="name", type="text"),
        html.Button("Save", id="save"),
        dash_table.DataTable(id="table"),
        html.Div(id="n"),
    ]
)


def get_connection():
    global connection
    if connection is None:
        connection = sqlite3.connect("hr.db", check_same_thread=False)
    return connection


@functools.lru_cache
def team_of(name):
    return pd.read_sql(text("select * from teams where name = :name"), engine, params={"name": name})  # expect: DS110


@callback(Output("table", "data"), Input("team", "value"))
def show(team):
    frame = team_of(team)
    frame.set_index("id", inplace=True)  # expect: DS109
    return frame.to_dict("records")


@callback(Output("n", "children"), Input("save", "n_clicks"), State("name", "value"))
def save(_, name):
    global employees
    with Session() as session:
        session.add(name)
        session.commit()
    get_connection().execute("update counts set n = n + 1")
    employees = pd.read_sql("select * from employees", engine)  # expect: DS101
    return len(employees)
