import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State
from datetime import datetime

app = dash.Dash(__name__)
app.config["suppress_callback_exceptions"] = True
pages = {}
last_page = "/"
app.layout = html.Div([dcc.Location(id="url"), html.Div(id="page")])


def page_one():
    return html.Div([html.H1("One"), dcc.Dropdown(id="d")])


pages["/one"] = page_one


@app.callback(Output("page", "children"), [Input("url", "pathname")])
def route(pathname):
    global last_page
    last_page = pathname  # expect: DS101
    if pathname in pages:
        return pages[pathname]()
    pages[pathname] = datetime.now  # expect: DS110
    return "404"


@app.callback(Output("d", "options"), [Input("d", "value")])
def options(value):
    opts = [{"label": p, "value": p} for p in pages]
    opts.append({"label": value, "value": value})
    return opts

if __name__ == "__main__":
    app.run_server(debug=True)
