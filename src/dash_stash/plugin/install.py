"""Serving one app: what is registered with Dash and Flask, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dash
import flask
from dash import _callback

from dash_stash.deployment import Deployment
from dash_stash.errors import ConfigError
from dash_stash.plugin.callbacks import prepare_callbacks
from dash_stash.plugin.hooks import RequestHooks
from dash_stash.plugin.layouts import prepare_as_nobody, serve_layouts
from dash_stash.plugin.page import Pages
from dash_stash.plugin.refusals import Refusals

_MARK = "_dash_stash"


def install(app: dash.Dash, deployment: Deployment) -> None:
    """Let *deployment* serve *app*, which has passed `check`."""
    setattr(app, _MARK, deployment)
    prepare_callbacks(app, deployment)
    serve_layouts(app, deployment)
    pages = Pages(app)
    connected: list[flask.Flask] = []

    def connect() -> None:
        if app.server not in connected:
            connected.append(app.server)
            _connect(app, deployment, pages)
            if len(connected) == 1:
                _watch(app, deployment, pages)

    init_app = app.init_app

    def init_app_and_connect(*args: Any, **kwargs: Any) -> None:
        init_app(*args, **kwargs)
        connect()

    app.init_app = init_app_and_connect
    if app.routes:  # else Dash(server=False), which gets its server later
        connect()


def _connect(app: dash.Dash, deployment: Deployment, pages: Pages) -> None:
    """Serve the requests that the app's server gets."""
    deployment.serve_at(app.config.requests_pathname_prefix.strip("/"))
    hooks = RequestHooks(app, deployment, pages)
    prepare_as_nobody(app, deployment)
    # Before Dash's own, whose first one calls layouts.
    app.server.before_request_funcs.setdefault(None, []).insert(0, hooks.arrive)
    app.server.after_request(hooks.answer)
    app.server.teardown_request(hooks.leave)
    Refusals(deployment, hooks).register(app.server)
    hooks.serve()


def check(app: dash.Dash) -> None:
    """Check that a stash can serve *app*.

    Raises:
        ConfigError: The app's Dash is too old, its backend is not Flask, or it has a Stash already.
    """
    if not isinstance(app, dash.Dash):
        raise ConfigError(
            f"Stash(app) takes a dash.Dash, not a {type(app).__qualname__} "
            "(pass app, not app.server)"
        )
    if not hasattr(app, "_execute_callback"):
        raise ConfigError(
            f"dash {dash.__version__} is not supported: dash-stash needs dash 3.2 or newer"
        )
    # On Dash 3, an app that gets its server later has none until then.
    if app.server is not None and not isinstance(app.server, flask.Flask):
        raise ConfigError(
            f"the backend {type(app.server).__module__}.{type(app.server).__qualname__} is not "
            'supported yet: use Dash(..., backend="flask"), which is the default'
        )
    if hasattr(app, _MARK):
        raise ConfigError("this app already has a Stash: use that Stash everywhere")


def check_memo(function: Callable[..., Any], app: dash.Dash | None) -> None:
    """Check that a future memo function is not a callback already.

    Raises:
        ConfigError: It is a callback: Dash would never call the memo function.
    """
    maps = (_callback.GLOBAL_CALLBACK_MAP, {} if app is None else app.callback_map)
    registered = (
        getattr(entry.get("callback"), "__wrapped__", None)
        for entries in maps
        for entry in entries.values()
    )
    if any(callback is function for callback in registered):
        raise ConfigError(
            f"@stash.memo is above @callback at {function.__qualname__}(), so Dash calls the "
            "function without it: write @stash.memo below @callback, right above the def"
        )


def _watch(app: dash.Dash, deployment: Deployment, pages: Pages) -> None:
    """Let the guard watch *app*, unless it is off; without a mode, it warns in debug mode only.

    It also sets `deployment.is_debug` in debug mode.
    """
    guard = deployment.settings.guard

    def begin() -> None:
        from dash_stash.plugin import watching  # in production it is not even imported

        watching.watch(app, "raise" if guard == "raise" else "warn", pages)

    def begin_debugging() -> None:
        deployment.is_debug = True
        if guard is None:
            begin()

    if guard in ("warn", "raise"):
        begin()
    # Dash stores the tools that debug mode turns on, but not the mode itself.
    if any(app._dev_tools[tool] for tool in ("ui", "hot_reload", "prune_errors")):
        begin_debugging()
        return
    enable = app.enable_dev_tools

    def enable_and_watch(*args: Any, **kwargs: Any) -> Any:
        debug = enable(*args, **kwargs)
        if debug:
            app.enable_dev_tools = enable
            begin_debugging()
        return debug

    app.enable_dev_tools = enable_and_watch
