import dash
import dash_core_components as dcc
import dash_html_components as html
from dash.dependencies import Input, Output, State

class Config:
    COLORS = {"bg": "white"}
    FONT = "Arial"

    @staticmethod
    def darken():
        Config.COLORS["bg"] = "black"
        setattr(Config, "FONT", "Courier")


class Local:
    def __init__(self):
        self.COLORS = {"bg": "white"}


app = dash.Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="c"), html.Button("D", id="d"), html.Div(id="x"), html.Div(id="y")])

@app.callback(Output("x", "style"), [Input("c", "value")])
def color(value):
    Config.COLORS["bg"] = value  # expect: DS107
    local = Local()
    local.COLORS["bg"] = value
    colors = dict(Config.COLORS)
    colors["fg"] = value
    return colors


@app.callback(Output("y", "style"), [Input("d", "n_clicks")])
def dark(n):
    Config.darken()  # expect: DS107, DS107
    del Config.FONT  # expect: DS107
    return {"font": getattr(Config, "FONT", "")}

if __name__ == "__main__":
    app.run_server(debug=True)
