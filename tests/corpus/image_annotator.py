from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import json
import os

index = 0
annotations = {}
images = sorted(os.listdir("images"))
current = {"file": images[0], "boxes": []}
app = Dash(__name__)
app.layout = html.Div([html.Button("Next", id="next"), html.Button("Prev", id="prev"), html.Button("Save", id="save"), dcc.Graph(id="g"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("g", "figure"), Input("next", "n_clicks"), Input("prev", "n_clicks"))
def navigate(n, p):
    global index
    if ctx.triggered_id == "next":
        index = min(index + 1, len(images) - 1)  # expect: DS101
    else:
        index -= 1  # expect: DS103
    current["file"] = images[index]  # expect: DS104
    return {"layout": {"title": images[index]}}


@callback(Output("o", "children"), Input("g", "relayoutData"))
def annotate(data):
    boxes = current["boxes"]
    boxes += data.get("shapes", [])  # expect: DS103
    annotations[current["file"]] = boxes  # expect: DS104
    return len(boxes)


@callback(Output("p", "children"), Input("save", "n_clicks"))
def save(_):
    with open("annotations.json", "w") as file:  # expect: DS112
        json.dump(annotations, file)
    return "saved"
