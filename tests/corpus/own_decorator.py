from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import functools
import time

app = Dash(__name__)
timings = []
errors = []
app.layout = html.Div([dcc.Input(id="a", type="text"), html.Div(id="b"), html.Div(id="c")])

def timed(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        start = time.time()
        try:
            return function(*args, **kwargs)
        finally:
            timings.append(time.time() - start)  # expect: DS106
    return wrapper


def guarded(function):
    @functools.wraps(function)
    def wrapper(*args):
        found = []
        try:
            return function(*args)
        except ValueError as error:
            found.append(error)
            return str(found)
    return wrapper


@callback(Output("b", "children"), Input("a", "value"))
@timed
def one(a):
    return a


@callback(Output("c", "children"), Input("a", "value"))
@guarded
def two(a):
    errors.append(a)  # expect: DS106
    return int(a)
