from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import gc
import logging
import os
import socket
import sys
import tempfile

app = Dash(__name__)
log = logging.getLogger(__name__)
app.layout = html.Div([dcc.Input(id="k", type="text"), html.Div(id="o"), html.Div(id="p"), dcc.Input(id="d", type="text")])

@callback(Output("o", "children"), Input("k", "value"))
def key(value):
    os.environ.update(API_KEY=value)  # expect: DS111
    del os.environ["OLD"]  # expect: DS111
    os.putenv("X", value)  # expect: DS111
    socket.setdefaulttimeout(3)  # expect: DS111
    log.setLevel("DEBUG")
    gc.collect()
    return os.getenv("API_KEY")


@callback(Output("p", "children"), Input("d", "value"))
def plugins(folder):
    sys.path.insert(0, folder)  # expect: DS111
    sys.setrecursionlimit(5000)  # expect: DS111
    paths = list(sys.path)
    paths.insert(0, "x")
    with tempfile.TemporaryDirectory() as here:
        open(os.path.join(here, "a.txt"), "w").close()
    print(paths, file=sys.stderr)
    return here
