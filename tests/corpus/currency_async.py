from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import asyncio

import httpx

rates = {}
pending = set()
client = httpx.AsyncClient()
app = Dash(__name__)
app.layout = html.Div([dcc.Dropdown(id="c"), html.Div(id="o"), html.Div(id="p")])

async def fetch(code):
    answer = await client.get(f"https://api.example.org/{code}")
    return answer.json()


@callback(Output("o", "children"), Input("c", "value"))
async def rate(code):
    pending.add(code)  # expect: DS106
    try:
        data = await fetch(code)
        data["code"] = code
        rates[code] = data["rate"]  # expect: DS104
    finally:
        pending.discard(code)  # expect: DS106
    return rates[code]


@callback(Output("p", "children"), Input("c", "value"))
async def many(codes):
    found = await asyncio.gather(*(fetch(code) for code in codes))
    found.append(1)
    async with httpx.AsyncClient() as own:
        own.headers["X"] = "1"
    return len(found)
