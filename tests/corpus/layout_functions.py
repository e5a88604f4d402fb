import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import datetime
import random

visits = 0
started = datetime.datetime.now()
app = dash.Dash(__name__)
server = app.server


def serve_layout():
    global visits
    visits += 1  # expect: DS103
    random.seed(1)  # expect: DS111
    parts = [html.P(f"{visits} visits")]
    parts.append(html.P(str(started)))
    return html.Div(parts)


app.layout = serve_layout

if __name__ == "__main__":
    app.run_server(debug=True)
