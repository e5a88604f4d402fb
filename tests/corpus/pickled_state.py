import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import json
import os
import pickle
from datetime import datetime

BASE = os.path.dirname(os.path.abspath(__file__))
COUNT_FILE = BASE + "/count.txt"

app = dash.Dash(__name__)
server = app.server
app.layout = html.Div([html.Button("Go", id="go"), html.Div(id="o"), dcc.Input(id="note", type="text"), html.Div(id="p")])

def read_count():
    with open(COUNT_FILE) as file:
        return int(file.read())


def write_count(n):
    with open(COUNT_FILE, "w") as file:
        file.write(str(n))


@app.callback(Output("o", "children"), [Input("go", "n_clicks")])
def count(_):
    n = read_count() + 1
    write_count(n)  # expect: DS112
    pickle.dump({"n": n}, open("state.pkl", "wb"))  # expect: DS112
    return n


@app.callback(Output("p", "children"), [Input("note", "value")])
def note(text):
    name = datetime.now().strftime("%Y%m%d%H%M%S")
    with open(f"notes/{name}.txt", mode="w") as file:
        file.write(text)
    with open("notes/index.txt", mode="a", encoding="utf-8") as file:  # expect: DS112
        file.write(name)
    with open("notes/index.txt") as file:
        return json.dumps(file.readlines())

if __name__ == "__main__":
    app.run_server(debug=True)
