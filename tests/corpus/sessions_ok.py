from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import uuid

import pandas as pd
from dash_stash import Ref, Stash

app = Dash(__name__)
stash = Stash(app)
FRAME = pd.read_csv("a.csv")


def layout():
    return html.Div([dcc.Store(id="sid", data=str(uuid.uuid4())), dcc.Dropdown(id="x"), html.Div(id="o"), dcc.Store(id="ref")])


app.layout = layout


@stash.memo(ttl="5m")
def big(x):
    frame = FRAME[FRAME["x"] == x].copy()
    frame["y"] = 2
    return frame


@callback(Output("ref", "data"), Input("x", "value"))
def compute(x):
    return big.ref(x)


@callback(Output("o", "children"), Input("ref", "data"), Input("x", "value"))
def show(frame, x):
    frame["z"] = frame["y"] * 2
    stash.session["x"] = x
    stash.session.modify("n", lambda n: n + 1, default=0)
    stash.tab["x"] = x
    mine = big(x)
    mine.drop(columns="y", inplace=True)
    mine.loc[0, "z"] = 1
    return len(mine)

if __name__ == "__main__":
    app.run(debug=True)
