from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import numpy as np
from PIL import Image

app = Dash(__name__)
image = np.asarray(Image.open("lena.png")).astype(float)
mask = np.zeros(image.shape[:2], dtype=bool)
kernel = np.ones((3, 3)) / 9
app.layout = html.Div(
    [
        dcc.Slider(0, 10, id="gain"),
        dcc.Graph(id="draw"),
        dcc.Graph(id="view"),
        html.Button("Reset", id="reset"),
    ]
)

@callback(Output("view", "figure"), Input("gain", "value"))
def brighten(gain):
    shown = image
    shown *= gain  # expect: DS103
    np.clip(image, 0, 255, out=image)  # expect: DS106
    local = image * gain
    local[local > 255] = 255
    return {"data": [{"z": local.tolist(), "type": "heatmap"}]}


@callback(Output("draw", "figure"), Input("draw", "relayoutData"))
def select(data):
    if not data:
        return no_update
    x0, x1 = int(data["x0"]), int(data["x1"])
    mask[:, x0:x1] = True  # expect: DS104
    window = image[x0:x1]
    window -= window.mean()  # expect: DS103
    flat = mask.flatten()
    flat[0] = False
    return {"data": [{"z": mask.astype(int)}]}


@callback(Output("reset", "children"), Input("reset", "n_clicks"))
def reset(_):
    mask.fill(False)  # expect: DS106
    mine = kernel.copy()
    mine.sort()
    return "cleared"
