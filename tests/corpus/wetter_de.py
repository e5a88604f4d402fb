from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd

messwerte = pd.read_csv("wetter.csv", sep=";", decimal=",")
verlauf = []
app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="ort"), dcc.Graph(id="kurve"), html.Div(id="liste")])

@callback(Output("kurve", "figure"), Input("ort", "value"))
def zeichne(ort):
    auswahl = messwerte.loc[messwerte["Ort"] == ort]
    auswahl["Grad"] = auswahl["Temperatur"].round(1)
    verlauf.append(ort)  # expect: DS106
    return {"data": [{"y": auswahl["Grad"]}]}


@callback(Output("liste", "children"), Input("ort", "value"))
def zeige(ort):
    letzte = verlauf[-5:]
    letzte.append(ort)
    return ", ".join(letzte)
