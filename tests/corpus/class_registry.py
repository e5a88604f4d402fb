import dash
from dash import Input, Output, State, callback, dcc, html

dash.register_page(__name__, path="/plugins")

class Plugin:
    registry = {}
    order = []
    enabled = True

    def __init_subclass__(cls, **kwargs):
        Plugin.registry[cls.__name__] = cls

    @classmethod
    def disable(cls):
        cls.enabled = False


class Map(Plugin):
    pass


class Chart(Plugin):
    colors = ["red"]

    def draw(self):
        return [*self.colors, "blue"]


layout = html.Div([dcc.Dropdown(id="name"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("name", "value"))
def choose(name):
    Plugin.registry.pop(name, None)  # expect: DS107
    Plugin.order.append(name)  # expect: DS107
    Map.disable()  # expect: DS107
    return [each for each in Plugin.order]


@callback(Output("p", "children"), Input("name", "value"))
def colors(name):
    chart = Chart()
    found = chart.draw()
    found.append(name)
    Chart.colors += [name]  # expect: DS107
    return found
