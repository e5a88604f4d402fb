import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import requests

app = dash.Dash(__name__)
server = app.server
token = None
profile = {}
answer = None
http = requests.Session()
app.layout = html.Div([dcc.Input(id="user", type="text"), html.Button("Go", id="go"), html.Div(id="o"), html.Div(id="p")])

@app.callback(Output("o", "children"), [Input("go", "n_clicks")], [State("user", "value")])
def login(n, user):
    global token, answer
    answer = requests.post("https://auth.example.org", json={"user": user}, timeout=5)  # expect: DS101
    token = answer.json()["token"]  # expect: DS101
    http.headers.update({"Authorization": token})
    profile["user"] = user  # expect: DS104
    data = answer.json()
    data["n"] = n
    return str(data)


@app.callback(Output("p", "children"), [Input("user", "value")])
def show(user):
    found = http.get(f"https://api.example.org/{user}", timeout=5).json()
    found["seen"] = True
    return found["name"]
