import dash
from dash import Input, Output, State, callback, dcc, html

dash.register_page(__name__, path="/settings")

class SettingsPage:
    def __init__(self):
        self.visits = 0
        self.values = {"name": ""}

    def layout(self, **kwargs):
        self.visits += 1  # expect: DS103
        return html.Div([html.P(self.visits), dcc.Input(id="name"), html.P(id="o")])


page = SettingsPage()
layout = page.layout


@callback(Output("o", "children"), Input("name", "value"))
def save(name):
    page.values["name"] = name  # expect: DS104
    values = dict(page.values)
    values["name"] = name.upper()
    return values["name"]
