from dash import Input, Output, State

from service import Portfolio


def register_callbacks(app, portfolio):
    @app.callback(Output("o", "children"), Input("buy", "n_clicks"), State("name", "value"))
    def buy(n, symbol):
        portfolio.buy(symbol, n)  # expect: DS104, DS103
        trial = Portfolio("trial")
        trial.buy(symbol, n)
        return portfolio.value() - trial.value()

    @app.callback(Output("p", "children"), Input("name", "value"))
    def rename(name):
        portfolio.rename(name)  # expect: DS105
        return portfolio.name
