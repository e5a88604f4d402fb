"""Serving one app: what is registered with Dash and Flask, and what is refused."""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import dash
import flask
from dash import _callback
from dash.exceptions import InvalidCallbackReturnValue
from flask import Response

from dash_stash.errors import BudgetExceeded, ConfigError, NoSession, PartMissing, RefExpired, RefInvalid, StashError, StoreUnavailable
from dash_stash.plugin.arguments import Arguments
from dash_stash.plugin.request import FlaskRequest
from dash_stash.plugin.visit import HEADER
from dash_stash.plugin.visitors import Visitors
from dash_stash.ref import PREFIX

if TYPE_CHECKING:
    from dash_stash.stash import Stash

_log = logging.getLogger("dash_stash")

_MARK = "_dash_stash"
# As Dash writes it, without spaces.
_SHOWN = f'"children":"{PREFIX}'
# What a callback is answered that did not run, and what the reader is told in the page.
_ANSWERS: dict[type[StashError], tuple[int, str]] = {
    RefInvalid: (403, "This page belongs to another session. Reload it to go on."),
    NoSession: (403, "This page has no session any more. Reload it to go on; it needs cookies."),
    RefExpired: (410, "The data of this page has expired. Reload it to go on."),
    PartMissing: (410, "The data of this page has changed. Reload it to go on."),
    StoreUnavailable: (503, "The server cannot store or find the data of this page now. Try again later."),
}


def install(app: dash.Dash, stash: Stash) -> None:
    """Let *stash* serve *app*, which has passed `check`."""
    setattr(app, _MARK, stash)
    _resolve_references(app, stash)
    stash.visits.request = FlaskRequest()
    visitors = Visitors(app, stash)
    # Before Dash's own: on the first request that calls the layout, which may want to know who is asking.
    app.server.before_request_funcs.setdefault(None, []).insert(0, visitors.arrive)
    app.server.after_request(visitors.answer)
    app.interpolate_index = visitors.with_page(app.interpolate_index)
    app.server.teardown_request(visitors.leave)
    for error in _ANSWERS:
        app.server.register_error_handler(error, functools.partial(_refuse, stash))
    visitors.serve()
    _watch(app, stash.guard)


def check(app: dash.Dash) -> None:
    """See that a stash can serve *app*.

    Raises:
        ConfigError: Its Dash is too old, its backend is not Flask, or it has a Stash already.
    """
    if not isinstance(app, dash.Dash):
        raise ConfigError(f"Stash(app) takes a dash.Dash, not a {type(app).__qualname__} (pass app, not app.server)")
    if not hasattr(app, "_execute_callback"):
        raise ConfigError(f"dash {dash.__version__} is not supported: dash-stash needs dash 3.2 or newer")
    if not isinstance(app.server, flask.Flask):
        raise ConfigError(
            f"the backend {type(app.server).__module__}.{type(app.server).__qualname__} is not supported yet: "
            'use Dash(..., backend="flask"), which is the default'
        )
    if hasattr(app, _MARK):
        raise ConfigError("this app has a Stash already: use that one everywhere")


def check_memo(function: Callable[..., Any], app: dash.Dash | None) -> None:
    """See that a function which is to be a memo is not registered as a callback without it.

    Raises:
        ConfigError: It is: Dash would never call the memo.
    """
    maps = (_callback.GLOBAL_CALLBACK_MAP, {} if app is None else app.callback_map)
    registered = (getattr(entry.get("callback"), "__wrapped__", None) for entries in maps for entry in entries.values())
    if any(callback is function for callback in registered):
        raise ConfigError(
            f"@stash.memo stands above @callback at {function.__qualname__}(), so Dash calls the function without it: write @stash.memo "
            "below @callback, right above the def"
        )


def _resolve_references(app: dash.Dash, stash: Stash) -> None:
    """Put values in the place of references, right before Dash calls a callback with its arguments.

    `Dash._execute_callback(func, args, outputs_list, g)` is where every transport passes, unchanged from Dash 3.2 to 4.5.
    """
    arguments = Arguments(app, stash.references)
    execute = app._execute_callback

    def execute_resolved(func, args, outputs_list, g):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 (Dash's own)
        return _hinting(app, execute(func, arguments.resolve(func, args, g), outputs_list, g))

    app._execute_callback = execute_resolved


def _hinting(app: dash.Dash, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a callback's call that says more where a value, or a reference, came to the wrong place."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        with _hint_at_references():
            answered = call(*args, **kwargs)
        return awaited(answered) if inspect.iscoroutine(answered) else checked(answered)

    async def awaited(answered: Coroutine[Any, Any, Any]) -> Any:
        with _hint_at_references():
            return checked(await answered)

    def checked(answered: Any) -> Any:
        if _is_debug(app) and isinstance(answered, str) and _SHOWN in answered:
            _log.warning(
                "a callback returned a reference as the children of a component, where the reader sees its text unless the component "
                "is hidden: return it as the data of a dcc.Store, from which callbacks get the value"
            )
        return answered

    return answer


@contextlib.contextmanager
def _hint_at_references() -> Iterator[None]:
    try:
        yield
    except InvalidCallbackReturnValue as error:
        if "JSON" in str(error):
            error.add_note(
                "A DataFrame, array or other Python object reaches another callback by a reference: return stash.put(value), or "
                "memo_function.ref(...), as the data of a dcc.Store; the callback that has it as an input gets the value."
            )
        raise


def _is_debug(app: dash.Dash) -> bool:
    """Whether the app runs in Dash's debug mode. Dash notes what that turns on, not the mode itself."""
    return any(app._dev_tools[tool] for tool in ("ui", "hot_reload", "prune_errors"))


def _watch(app: dash.Dash, mode: Literal["warn", "raise", "off"] | None) -> None:
    """Let the guard watch *app*; with None as the mode, warn once the debug mode is turned on, and until then do nothing."""
    if mode == "off":
        return

    def begin() -> None:
        from dash_stash.plugin import watching  # in production it is not even imported

        watching.watch(app, mode or "warn")

    if mode is not None or _is_debug(app):
        begin()
        return
    enable = app.enable_dev_tools

    def enable_and_watch(*args: Any, **kwargs: Any) -> Any:
        debug = enable(*args, **kwargs)
        if debug:
            app.enable_dev_tools = enable
            begin()
        return debug

    app.enable_dev_tools = enable_and_watch


def _refuse(stash: Stash, error: StashError) -> Response:
    """Answer a callback that cannot get its data: the page stays as it is, and shows a notice."""
    status, notice = next(answer for kind, answer in _ANSWERS.items() if isinstance(error, kind))
    if isinstance(error, NoSession) and error.scope == "user":
        notice = "This needs a user: log in to go on."
    text = str(error)
    if isinstance(error, BudgetExceeded):
        _log.warning("%s", error)
        text = error.reason  # where the store is concerns nobody who looks at a page
    elif isinstance(error, StoreUnavailable):
        stash.warn(error)
        text = notice  # likewise
    else:
        _log.warning("%s", error)
    response = Response(text, status=status, mimetype="text/plain")
    response.headers[f"{HEADER}-Notice"] = quote(notice if stash.on_expired is None else stash.on_expired(error))
    return response
