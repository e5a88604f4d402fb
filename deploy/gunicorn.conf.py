"""How gunicorn serves the app on each host: `gunicorn --config gunicorn.conf.py app:server`."""

bind = "0.0.0.0:8000"
workers = 4
threads = 4
preload_app = True  # the libraries are imported once, not by each worker
control_socket_disable = True


def post_worker_init(_worker: object) -> None:
    """On a worker's first page load Dash races with itself (plotly/dash #3971): let that be over before anybody comes."""
    from app import server

    server.test_client().get("/")
