import functools
import os

import pandas as pd
import plotly.express as px
import yfinance as yf
from dash import Dash, Input, Output, dcc, html
from dash.exceptions import PreventUpdate

SYMBOLS = ["AAPL", "MSFT", "NVDA"]
app = Dash(__name__, title="Stocks")
server = app.server
price_cache = {}


@functools.lru_cache(maxsize=32)
def history(symbol, period):
    return yf.Ticker(symbol).history(period=period).reset_index()  # expect: DS110


@functools.lru_cache(maxsize=None)
def moving_average_weights(window):
    return [1 / window] * window


def layout():
    return html.Div([dcc.Dropdown(SYMBOLS, SYMBOLS[0], id="symbol"), dcc.Graph(id="price"), html.Div(id="latest")])


app.layout = layout


@app.callback(Output("price", "figure"), Input("symbol", "value"))
def draw(symbol):
    if symbol is None:
        raise PreventUpdate
    data = history(symbol, "1y")
    data["ma"] = data["Close"].rolling(20).mean()  # expect: DS109
    weights = moving_average_weights(20)
    total = sum(weights)
    return px.line(data, x="Date", y=["Close", "ma"], title=f"{symbol} {total}")


@app.callback(Output("latest", "children"), Input("symbol", "value"))
def latest(symbol):
    if symbol not in price_cache:
        price_cache[symbol] = yf.Ticker(symbol).fast_info["lastPrice"]  # expect: DS110
    return f"{price_cache[symbol]:.2f}"


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", 8050)))
