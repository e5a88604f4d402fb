import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
app = dash.Dash(__name__)
app.config.suppress_callback_exceptions = True
active = "one"
drawn = set()
app.layout = html.Div([dcc.Tabs(id="tabs", value="one"), html.Div(id="content")])


def content(tab):
    drawn.add(tab)
    parts = [html.H1(tab)]
    parts.append(html.P("text"))
    return html.Div(parts)


@app.callback(Output("content", "children"), [Input("tabs", "value")])
def render(tab):
    global active
    active = tab  # expect: DS101
    return content(tab)  # expect: DS106


@app.callback(
    output=Output("tabs", "children"),
    inputs=[Input("content", "children")])
def tabs(children):
    labels = sorted(drawn)
    labels.append(active)
    return [dcc.Tab(label=label) for label in labels]

if __name__ == "__main__":
    app.run_server(debug=True)
