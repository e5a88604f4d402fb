from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
from dash_stash import Stash

app = Dash(__name__)
stash = Stash(app)
settings = {"vat": 0.19}
currency = "EUR"
prices = [1, 2, 3]
TABLE = {"EUR": 1, "USD": 1.1}


def gross(price):
    return price * (1 + settings["vat"])


def symbol():
    return currency


@stash.memo
def invoice(n):
    return gross(prices[n])  # expect: DS113


@stash.memo(ttl="1m")
def header(n):
    return f"{symbol()} {n}"  # expect: DS113


@stash.memo
def rate(code):
    return TABLE[code]


@stash.memo(scope="session")
def mine(code):
    vat = settings["vat"]  # expect: DS113
    return rate(code) * vat


app.layout = html.Div([dcc.Input(id="vat", type="text"), dcc.Dropdown(id="c"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("vat", "value"))
def set_vat(vat):
    settings["vat"] = vat  # expect: DS104
    return invoice.ref(1)


@callback(Output("p", "children"), Input("c", "value"))
def set_currency(code):
    global currency
    currency = code  # expect: DS101
    return header(1) + str(mine(code))
