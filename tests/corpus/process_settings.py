import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import locale
import os
import random
import warnings

import numpy as np
import pandas as pd

os.environ.setdefault("TZ", "UTC")
random.seed(0)
app = dash.Dash(__name__)
server = app.server
app.layout = html.Div([dcc.Dropdown(id="lang"), dcc.Input(id="seed", type="text"), dcc.Slider(0, 10, id="digits"), html.Div(id="out"), html.Div(id="text"), html.Div(id="rnd")])

@app.callback(Output("out", "children"), [Input("lang", "value")])
def language(lang):
    os.environ["LANG"] = lang  # expect: DS111
    locale.setlocale(locale.LC_ALL, lang)  # expect: DS111
    env = dict(os.environ)
    env["LANG"] = "C"
    return os.environ.get("LANG")


@app.callback(Output("rnd", "children"), [Input("seed", "value")])
def roll(seed):
    random.seed(seed)  # expect: DS111
    np.random.seed(int(seed))  # expect: DS111
    rng = np.random.default_rng(int(seed))
    own = random.Random(seed)
    own.seed(1)
    return str(random.random() + rng.random() + own.random())


@app.callback(Output("text", "children"), [Input("digits", "value")])
def text(digits):
    pd.set_option("display.precision", digits)  # expect: DS111
    pd.options.display.max_rows = 10  # expect: DS111
    warnings.filterwarnings("ignore")  # expect: DS111
    with pd.option_context("display.precision", digits), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(pd.Series([1.0]))

if __name__ == "__main__":
    app.run_server(debug=True)
