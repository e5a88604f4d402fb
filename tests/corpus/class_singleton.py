from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update

class Store:
    _instance = None
    data = {}

    def __new__(cls):
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def put(self, key, value):
        self.data[key] = value

    def all(self):
        return dict(self.data)


class Plot:
    instances = []
    title = "x"

    def __init__(self, title):
        self.title = title
        Plot.instances.append(self)

    def rename(self, title):
        self.title = title


app = Dash(__name__)
store = Store()
app.layout = html.Div([dcc.Input(id="k", type="text"), dcc.Input(id="v", type="text"), html.Div(id="a"), html.Div(id="b")])

@callback(Output("a", "children"), Input("k", "value"), State("v", "value"))
def put(key, value):
    store.put(key, value)  # expect: DS107
    everything = store.all()
    everything["x"] = 1
    return str(everything)


@callback(Output("b", "children"), Input("v", "value"))
def plot(value):
    mine = Plot(value)  # expect: DS107
    mine.rename("y")
    Plot.title = value  # expect: DS107
    return mine.title
