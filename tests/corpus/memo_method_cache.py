from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import pandas as pd


class Repository:
    def __init__(self, folder):
        self.folder = folder
        self.frames = {}
        self.hits = 0

    def get(self, name):
        if name not in self.frames:
            self.frames[name] = pd.read_csv(f"{self.folder}/{name}.csv")
        return self.frames[name]

    def size(self, name):
        return len(self.frames.get(name, ()))

    def touch(self):
        self.hits = self.hits + 1


repository = Repository("data")
app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="name"), dash_table.DataTable(id="table"), html.Div(id="size")])

@callback(Output("table", "data"), Input("name", "value"))
def table(name):
    repository.touch()  # expect: DS105
    frame = repository.get(name)  # expect: DS110
    return frame.assign(name=name).to_dict("records")


@callback(Output("size", "children"), Input("name", "value"))
def size(name):
    private = Repository("other")
    private.touch()
    private.get(name)
    return repository.size(name)
