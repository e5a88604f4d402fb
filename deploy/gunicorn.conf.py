"""How gunicorn serves the app on each host: `gunicorn --config gunicorn.conf.py app:server`."""

import os

bind = "0.0.0.0:8000"
# Cookies are Secure only if gunicorn believes the proxy, which has another address, that the
# browser came by https. By default it believes nobody but 127.0.0.1. "*" is for a port that only
# the proxy reaches; else list the proxy's addresses.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "*")
workers = 4
threads = 4
preload_app = True  # the libraries are imported once, not by each worker
control_socket_disable = True


def post_worker_init(_worker: object) -> None:
    """On a worker's first page load Dash races with itself (plotly/dash #3971): let that be over before anybody comes."""
    from app import server

    server.test_client().get("/")
