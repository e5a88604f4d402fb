import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
import functools
import json


@functools.lru_cache(maxsize=1)
def config():
    with open("config.json") as file:
        return json.load(file)


def defaults():
    return config()["defaults"]


app = dash.Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="unit"), html.Div(id="out"), html.Button("Reset", id="reset"), html.Div(id="done")])

@app.callback(Output("out", "children"), [Input("unit", "value")])
def set_unit(unit):
    settings = config()
    settings["unit"] = unit  # expect: DS109
    settings.setdefault("history", []).append(unit)  # expect: DS109
    copied = dict(settings)
    copied["unit"] = "m"
    return json.dumps(copied)


@app.callback(Output("done", "children"), [Input("reset", "n_clicks")])
def reset(_):
    config().update(unit="m")  # expect: DS109
    config.cache_clear()
    d = defaults()
    d.pop("unit", None)  # expect: DS109
    return "reset"

if __name__ == "__main__":
    app.run_server(debug=True)
