from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update

class Base:
    def __init__(self, app):
        self.app = app
        self.register()

    def register(self):
        raise NotImplementedError


class TableView(Base):
    page = 0
    sizes = [10, 20, 50]

    def register(self):
        self.app.callback(Output("table", "page_current"), Input("next", "n_clicks"))(self.next_page)

        @self.app.callback(Output("table", "page_size"), Input("size", "value"))
        def resize(size):
            self.size = size  # expect: DS105
            chosen = [each for each in self.sizes if each <= size]
            chosen.append(size)
            return chosen[-1]

        @self.app.callback(Output("table", "tooltip"), Input("table", "page_current"))
        def tip(page):
            self.sizes.append(page)  # expect: DS107
            type(self).page = page  # expect: DS107
            return str(page)

    def next_page(self, n):
        self.page += 1  # expect: DS103
        return self.page


app = Dash(__name__)
app.layout = html.Div([html.Button("Next", id="next"), dcc.Dropdown(id="size"), dash_table.DataTable(id="table")])
TableView(app)
