import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State


def attach(app, columns):
    active = ""
    order = None
    hidden = ()

    def toggle(column):
        nonlocal hidden
        hidden = tuple(set(hidden) ^ {column})
        return hidden

    for column in columns:

        @app.callback(Output("head-" + column, "className"), [Input("head-" + column, "n_clicks")])
        def sort(n, column=column):
            nonlocal active, order
            active = column  # expect: DS102
            order = "asc" if n % 2 else "desc"  # expect: DS102
            return order

    @app.callback(Output("cols", "children"), [Input("hide", "value")])
    def hide(column):
        shown = [each for each in columns if each not in toggle(column)]  # expect: DS102
        shown.append("...")
        return shown
