from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import asyncio
from collections import defaultdict, deque


async def fetch(url, pending=deque()):
    pending.append(url)
    await asyncio.sleep(0)
    return url


async def group(items, by=defaultdict(list)):
    for item in items:
        by[item[0]].append(item)
    return by


async def safe(items, by=None):
    by = defaultdict(list) if by is None else by
    for item in items:
        by[item[0]].append(item)
    return by


app = Dash(__name__)
app.layout = html.Div([dcc.Input(id="u", type="text"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("u", "value"))
async def load(url):
    await fetch(url, deque())
    await safe([url])
    return await fetch(url)  # expect: DS108


@callback(Output("p", "children"), Input("u", "value"))
async def grouped(url, tries=[]):
    found = await group([url])  # expect: DS108
    tries.append(url)  # expect: DS108
    return str(dict(found))
