from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import time

import diskcache
from dash.long_callback import DiskcacheLongCallbackManager

cache = diskcache.Cache("./cache")
app = Dash(__name__, long_callback_manager=DiskcacheLongCallbackManager(cache))
done = 0
app.layout = html.Div([html.Button("Go", id="go"), html.Div(id="o"), html.Div(id="bar")])

@app.long_callback(
    output=Output("o", "children"),
    inputs=Input("go", "n_clicks"),
    progress=[Output("bar", "children")],
    running=[(Output("go", "disabled"), True, False)],
)
def slow(set_progress, n):
    global done
    steps = []
    for i in range(5):
        steps.append(i)
        time.sleep(0.1)
        set_progress((str(i),))
    done = len(steps)  # expect: DS101
    cache["done"] = done
    return done
