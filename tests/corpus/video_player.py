import dash
from dash import dcc, html, dash_table
from dash.dependencies import Input, Output, State
import cv2

app = dash.Dash(__name__)
server = app.server
capture = cv2.VideoCapture(0)
frame_no = 0
frames = {}
labels = {}
app.layout = html.Div([html.Button("Next", id="next"), html.Div(id="img"), dcc.Input(id="lab", type="text"), html.Div(id="o")])

def read(number):
    if number in frames:
        return frames[number]
    ok, image = capture.read()
    frames[number] = image
    return image


@app.callback(Output("img", "children"), [Input("next", "n_clicks")])
def show(n):
    global frame_no
    frame_no = n or 0  # expect: DS101
    image = read(frame_no)  # expect: DS110
    gray = image.mean(axis=2)
    gray[0] = 0
    cv2.imwrite("assets/frame.png", gray)  # expect: DS112
    return html.Img(src=f"/assets/frame.png?{n}")


@app.callback(Output("o", "children"), [Input("lab", "n_submit")], [State("lab", "value")])
def label(n, text):
    labels.setdefault(frame_no, []).append(text)  # expect: DS106
    own = {}
    own.setdefault(frame_no, []).append(text)
    return str(labels)

if __name__ == "__main__":
    app.run_server(debug=True)
