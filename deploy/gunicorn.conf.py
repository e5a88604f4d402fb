"""How gunicorn serves the app on each host: `gunicorn --config gunicorn.conf.py app:server`."""

import os

bind = "0.0.0.0:8000"
# Cookies are Secure only if gunicorn believes the proxy that the browser used https. By default it
# believes only 127.0.0.1, and the proxy has another address. "*" is for a port that only the proxy
# can reach; otherwise list the proxy's addresses.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "*")
workers = 4
threads = 4
preload_app = True  # the libraries are imported once, not by each worker
control_socket_disable = True


def post_worker_init(_worker: object) -> None:
    """Load a page before any visitor does: the first one races with itself (plotly/dash #3971)."""
    from app import server

    server.test_client().get("/")
