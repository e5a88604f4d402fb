from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update

class User:
    def __init__(self):
        self.name = None
        self.cart = []
        self.address = {"city": ""}


class Shop(User):
    def add(self, item):
        self.cart.append(item)

    def move(self, city):
        self.address["city"] = city


user = User()
shop = Shop()
app = Dash(__name__)
app.layout = html.Div([dcc.Input(id="name", type="text"), dcc.Input(id="city", type="text"), dcc.Dropdown(id="item"), html.Div(id="a"), html.Div(id="b"), html.Div(id="c")])

@callback(Output("a", "children"), Input("name", "value"))
def rename(name):
    user.name = name  # expect: DS105
    user.address = {"city": name}  # expect: DS105
    other = User()
    other.name = name
    other.address["city"] = name
    return user.name


@callback(Output("b", "children"), Input("city", "value"))
def move(city):
    shop.move(city)  # expect: DS104
    user.address["city"] = city  # expect: DS104
    own = Shop()
    own.move(city)
    return shop.address["city"]


@callback(Output("c", "children"), Input("item", "value"))
def add(item):
    shop.add(item)  # expect: DS106
    setattr(shop, "last", item)  # expect: DS105
    del user.cart  # expect: DS105
    return len(shop.cart)
