from datetime import datetime

from dash import Dash, Input, Output, State, dcc, html

app = Dash(__name__)
messages = []
visitors = {"count": 0}
MAX_LENGTH = 280

app.layout = html.Div(
    [
        html.Ul(id="messages"),
        dcc.Input(id="text"),
        html.Button("Send", id="send"),
        html.Span(id="visitors"),
        dcc.Interval(id="tick", interval=1000),
    ]
)


@app.callback(
    Output("text", "value"),
    Input("send", "n_clicks"),
    State("text", "value"),
    prevent_initial_call=True,
)
def send(_, text):
    text = text[:MAX_LENGTH]
    messages.append((datetime.now(), text))  # expect: DS106
    if len(messages) > 100:
        messages.pop(0)  # expect: DS106
    return ""


@app.callback(Output("messages", "children"), Input("tick", "n_intervals"))
def refresh(_):
    recent = messages[-20:]
    recent.reverse()
    items = []
    for at, text in recent:
        items.append(html.Li(f"{at:%H:%M} {text}"))
    return items


@app.callback(Output("visitors", "children"), Input("tick", "id"))
def visit(_):
    visitors["count"] += 1  # expect: DS103
    return f"{visitors['count']} visits"


if __name__ == "__main__":
    app.run(debug=True)
