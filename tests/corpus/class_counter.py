from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update

class Stats:
    views = 0
    errors = []
    last = None

    def hit(self):
        Stats.views += 1

    @classmethod
    def fail(cls, message):
        cls.errors.append(message)
        cls.last = message

    def report(self):
        lines = list(self.errors)
        lines.append(str(self.views))
        return lines


app = Dash(__name__)
app.layout = html.Div([html.Button("Go", id="go"), html.Button("Bad", id="bad"), html.Div(id="v"), html.Div(id="e")])

@callback(Output("v", "children"), Input("go", "n_clicks"))
def view(_):
    stats = Stats()
    stats.hit()  # expect: DS107
    stats.last = "mine"
    return stats.report()


@callback(Output("e", "children"), Input("bad", "n_clicks"))
def fail(n):
    Stats.fail(f"error {n}")  # expect: DS107, DS107
    Stats.errors.pop()  # expect: DS107
    Stats.views = 0  # expect: DS107
    return Stats.last
