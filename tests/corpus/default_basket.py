from dash import Dash, Input, Output, State, callback, dcc, html

app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(["apple", "pear"], id="fruit"), html.Button("+", id="plus"), html.Ul(id="basket"), html.P(id="sum")])


@callback(Output("basket", "children"), Input("plus", "n_clicks"), State("fruit", "value"))
def add(n, fruit, basket=[]):
    basket.append(fruit)  # expect: DS108
    return [html.Li(each) for each in basket]


def tally(fruit, counts={}):
    counts[fruit] = counts.get(fruit, 0) + 1
    return counts


def listing(fruit, found=None):
    found = found or []
    found.append(fruit)
    return found


def joined(fruits, separator=", ", options={}):
    return options.get("prefix", "") + separator.join(fruits)


@callback(Output("sum", "children"), Input("fruit", "value"))
def count(fruit):
    own = tally(fruit, {})
    shared = tally(fruit)  # expect: DS108
    return str(own) + str(shared) + joined(listing(fruit))
