from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd
import plotly.figure_factory as ff
from datetime import timedelta

tasks = [dict(Task="A", Start="2020-01-01", Finish="2020-02-01")]
holidays = frozenset({"2020-01-06"})
by_name = {task["Task"]: task for task in tasks}
app = Dash(__name__)
app.layout = html.Div([dcc.Input(id="name", type="text"), dcc.Slider(0, 10, id="days"), dcc.Graph(id="g"), html.Div(id="o")])

@callback(Output("g", "figure"), Input("days", "value"))
def shift(days):
    moved = [{**task, "Task": task["Task"].lower()} for task in tasks]
    for task in moved:
        task["Finish"] = str(pd.Timestamp(task["Finish"]) + timedelta(days))
    first = tasks[0]
    first["days"] = days  # expect: DS104
    fig = ff.create_gantt(moved)
    fig.layout.update(height=300)
    return fig


@callback(Output("o", "children"), Input("name", "value"))
def add(name):
    tasks.append({"Task": name})  # expect: DS106
    by_name["A"]["Task"] = name  # expect: DS104
    names = [*by_name]
    names.append(name)
    return str(holidays | {name})
