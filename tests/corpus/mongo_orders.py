from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import logging
import os
from datetime import datetime

from pymongo import MongoClient
from prometheus_client import Counter as Metric
from redis import Redis

log = logging.getLogger("orders")
client = MongoClient(os.environ["MONGO_URL"])
orders = client["shop"]["orders"]
redis = Redis()
clicks = Metric("clicks", "Clicks on the page")
recent = []
app = Dash(__name__)
app.layout = html.Div(
    [
        dcc.Input(id="order", type="text"),
        html.Button("Add", id="add"),
        html.Div(id="list"),
        html.Div(id="stats"),
    ]
)

@callback(Output("list", "children"), Input("add", "n_clicks"), State("order", "value"))
def add(_, order):
    clicks.inc()
    document = {"order": order}
    document["at"] = datetime.now()
    orders.insert_one(document)
    orders.update_one({"order": order}, {"$inc": {"n": 1}})
    redis.set("last", order)
    redis.append("all", order)
    log.setLevel(logging.INFO)
    log.info("added %s", order)
    recent.insert(0, order)  # expect: DS106
    del recent[10:]  # expect: DS104
    return [html.Li(each) for each in recent]


@callback(Output("stats", "children"), Input("add", "n_clicks"))
def stats(_):
    cursor = orders.find().sort("at", -1)
    return str(list(cursor))
