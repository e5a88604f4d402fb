"""An app in debug mode with a callback that breaks the rule, and one that does not."""

from __future__ import annotations

import os
import sys

import pandas as pd
from dash import Dash, Input, Output, html

from dash_stash import Stash

df = pd.DataFrame({"score": [1, 5, 5]})
app = Dash(__name__)
Stash(app, f"file://{os.environ['STASH_TEST_FOLDER']}")
app.layout = html.Div(
    [
        html.Button("fine", id="fine"),
        html.Button("break", id="break"),
        html.Div(id="fine-out"),
        html.Div(id="break-out"),
    ],
)


@app.callback(Output("fine-out", "children"), Input("fine", "n_clicks"), prevent_initial_call=True)
def fine(clicks: int) -> str:
    """Change a copy."""
    mine = df.copy()
    mine["clicks"] = clicks
    return f"{len(mine)} rows"


@app.callback(
    Output("break-out", "children"), Input("break", "n_clicks"), prevent_initial_call=True
)
def break_rule(_: int) -> str:
    """Change the variable that all callbacks share."""
    global df  # noqa: PLW0603 (the fault that is looked for)
    df = df[df["score"] == 5]
    return f"{len(df)} rows"


if __name__ == "__main__":
    app.run(
        port=int(sys.argv[1]), debug=True, use_reloader=False, dev_tools_disable_version_check=True
    )
