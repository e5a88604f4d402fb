import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
import csv
import os
import pandas as pd

LEDGER = "ledger.csv"
balance = 0.0
entries = []
categories = ["food", "rent"]

if os.path.exists(LEDGER):
    with open(LEDGER) as file:
        for row in csv.DictReader(file):
            entries.append(row)
            balance += float(row["amount"])

app = dash.Dash(__name__)
app.layout = html.Div([dcc.Input(id="amount", type="text"), dcc.Dropdown(id="cat"), html.Button("Add", id="add"), html.Div(id="o"), dcc.Graph(id="p")])

@app.callback(
    Output("o", "children"),
    [Input("add", "n_clicks")],
    [State("amount", "value"), State("cat", "value")],
)
def book(n, amount, category):
    global balance
    if n is None:
        return balance
    entry = {"amount": amount, "category": category}
    entries.append(entry)  # expect: DS106
    balance += float(amount)  # expect: DS103
    with open(LEDGER, "a", newline="") as file:  # expect: DS112
        csv.writer(file).writerow([amount, category])
    return f"{balance:.2f}"


@app.callback(Output("p", "figure"), [Input("o", "children")])
def pie(_):
    frame = pd.DataFrame(entries)
    frame["amount"] = frame["amount"].astype(float)
    sums = frame.groupby("category")["amount"].sum()
    sums["other"] = 0
    return {"data": [{"type": "pie", "values": sums}]}

if __name__ == "__main__":
    app.run_server(debug=True)
