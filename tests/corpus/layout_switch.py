from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import os

import plotly.io as pio

app = Dash(__name__)
app.layout = html.Div(
    [
        dcc.Dropdown(id="page"),
        html.Div(id="body"),
        html.Div(id="title"),
        dcc.RadioItems(["a", "b"], "a", id="theme"),
        dcc.Input(id="dir", type="text"),
        html.Div(id="now"),
    ]
)

@callback(Output("body", "children"), Input("page", "value"))
def switch(page):
    app.layout = html.Div(page)  # expect: DS111
    app.title = page  # expect: DS111
    figure = {"layout": {}}
    figure["layout"]["title"] = page
    return html.Div(id=page)


@callback(Output("title", "children"), Input("theme", "value"))
def theme(value):
    pio.templates.default = "plotly_dark" if value == "a" else "plotly"  # expect: DS111
    app.config.suppress_callback_exceptions = True  # expect: DS111
    layout = html.Div("title")
    layout.className = value
    return layout


@callback(Output("now", "children"), Input("dir", "value"))
def cd(folder):
    os.chdir(folder)  # expect: DS111
    here = os.getcwd()
    path = os.path.join(here, "x")
    return path
