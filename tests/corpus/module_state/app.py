from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import config
import state
from pages import overview

app = Dash(__name__)
app.layout = overview.layout

@callback(Output("title", "children"), Input("tab", "value"))
def pick(tab):
    config.ACTIVE_TAB = tab  # expect: DS105
    config.options["tab"] = tab  # expect: DS104
    state.reset()  # expect: DS101, DS106
    return config.TITLE

if __name__ == "__main__":
    app.run(debug=True)
