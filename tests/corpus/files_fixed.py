import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
import json
import os
import pickle
import shutil

STATE_FILE = "state.json"
MODEL = os.path.join(os.path.dirname(__file__), "model.pkl")


def save_state(state, path=STATE_FILE):
    with open(path, "w") as file:
        json.dump(state, file)


def load_state():
    with open(STATE_FILE) as file:
        return json.load(file)


app = dash.Dash(__name__)
app.layout = html.Div(
    [
        dcc.Input(id="name", type="text"),
        html.Button("Save", id="save"),
        html.Div(id="out"),
        html.Button("Train", id="train"),
        html.Div(id="done"),
        html.Button("Clear", id="clear"),
        html.Div(id="gone"),
    ]
)

@app.callback(Output("out", "children"), [Input("save", "n_clicks")], [State("name", "value")])
def save(n, name):
    state = load_state()
    state["name"] = name
    save_state(state)  # expect: DS112
    save_state(state, f"states/{name}.json")
    return "saved"


@app.callback(Output("done", "children"), [Input("train", "n_clicks")])
def train(n):
    with open(MODEL, "wb") as file:  # expect: DS112
        pickle.dump({"n": n}, file)
    shutil.copy(MODEL, "backup.pkl")  # expect: DS112
    with open(MODEL, "rb") as file:
        return str(pickle.load(file))


@app.callback(Output("gone", "children"), [Input("clear", "n_clicks")])
def clear(n):
    if os.path.exists(STATE_FILE):
        os.remove(STATE_FILE)  # expect: DS112
    return "gone"

if __name__ == "__main__":
    app.run_server(debug=True)
