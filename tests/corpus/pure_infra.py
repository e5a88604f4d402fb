from dash import Dash, Input, Output, State, callback, ctx, dash_table, dcc, html, no_update
import logging
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

import redis
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import create_engine
from sqlalchemy.orm import scoped_session, sessionmaker

log = logging.getLogger("app")
jobs = queue.Queue()
pool = ThreadPoolExecutor(4)
lock = threading.RLock()
stop = threading.Event()
local = threading.local()
r = redis.Redis(host="cache")
CLICKS = Counter("clicks", "clicks", ["page"])
LOAD = Gauge("load", "load")
TIME = Histogram("time", "time")
db = scoped_session(sessionmaker(create_engine("sqlite://")))
app = Dash(__name__)
app.layout = html.Div([html.Button("Go", id="go"), html.Div(id="o"), html.Div(id="p")])

@callback(Output("o", "children"), Input("go", "n_clicks"))
def go(n):
    CLICKS.labels("home").inc()
    LOAD.set(n)
    local.user = n
    with TIME.time(), lock:
        jobs.put(n)
        stop.clear()
    future = pool.submit(len, [n])
    log.addFilter(print)
    return future.result()


@callback(Output("p", "children"), Input("go", "n_clicks"))
def save(n):
    r.set("n", n)
    r.hset("h", "n", n)
    r.lpush("l", n)
    pipe = r.pipeline()
    pipe.incr("n")
    pipe.execute()
    db.add(n)
    db.commit()
    db.remove()
    log.handlers[0].setLevel(10)
    return r.get("n").decode()
