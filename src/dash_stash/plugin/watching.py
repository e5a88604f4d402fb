"""The guard in a Dash app: watches its callbacks, and reports in Dash's own error panel."""

from __future__ import annotations

import functools
import inspect
import json
import textwrap
import urllib.parse
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final, Literal

import flask
from flask import Response

from dash_stash.errors import SharedStateChanged
from dash_stash.guard.callback import WatchedCallback
from dash_stash.guard.report import SharedChange
from dash_stash.guard.runtime import Guard, WatchedRun
from dash_stash.plugin.page import Pages

if TYPE_CHECKING:
    from dash import Dash

_HEADER: Final = "X-Dash-Stash-Guard"
_LONGEST_HEADER: Final = 6_000
_PANEL_WIDTH: Final = 70  # letters

# Dash's renderer has no call for a warning beside a callback's value. What its error panel shows
# is in its stores, `window.dash_stores` from Dash 3.2 to 4.5: the script adds to it as the renderer
# itself adds the error of a callback.
_SCRIPT: Final = f"""\
(() => {{
  const fetch = window.fetch;
  window.fetch = async (...request) => {{
    const response = await fetch(...request);
    const found = response.headers.get({_HEADER!r});
    if (found) {{
      for (const error of JSON.parse(decodeURIComponent(found))) {{
        for (const store of window.dash_stores ?? []) {{
          store.dispatch({{type: "ON_ERROR", payload: {{type: "backEnd", error}}}});
        }}
      }}
    }}
    return response;
  }};
}})();
"""


def watch(app: Dash, mode: Literal["warn", "raise"], pages: Pages) -> None:
    """Watch the callbacks of *app* from now on, and let its *pages* show the reports."""
    _Watching(app, is_raising=mode == "raise").begin(pages)


def _found_in_request() -> list[SharedChange]:
    """Return what the guard has found in the request that is being answered."""
    return flask.g.setdefault("dash_stash_changes", []) if flask.has_request_context() else []


class _Watching:
    """The guard over the callbacks of one app."""

    def __init__(self, app: Dash, *, is_raising: bool) -> None:
        self._app, self._is_raising, self._guard = app, is_raising, Guard()
        self._callbacks: dict[Callable[..., Any], WatchedCallback | None] = {}
        self._script = f"{app.config.routes_pathname_prefix}_dash-stash/guard.js"

    def begin(self, pages: Pages) -> None:
        """Watch every callback that is called from now on."""
        app = self._app
        app._execute_callback = self._watched(app._execute_callback)
        app.server.after_request(self._answer)
        app.server.add_url_rule(
            self._script, endpoint=f"{self._script}:dash-stash", view_func=_serve_script
        )
        pages.scripts["guard"] = self._page_script

    def _watched(
        self, execute: Callable[..., Callable[[], Any]]
    ) -> Callable[..., Callable[[], Any]]:
        def execute_watched(func, args, outputs_list, g):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 (Dash's own)
            call = execute(func, args, outputs_list, g)
            callback = self._callback(func)
            return call if callback is None else functools.partial(self._run, call, callback)

        return execute_watched

    def _callback(self, func: Callable[..., Any]) -> WatchedCallback | None:
        """Return the callback that Dash calls by *func*.

        None for a background callback, which runs in another process.
        """
        if func not in self._callbacks:
            self._callbacks[func] = self._new_callback(func)
        return self._callbacks[func]

    def _new_callback(self, func: Callable[..., Any]) -> WatchedCallback | None:
        registered = (
            (key, entry)
            for key, entry in self._app.callback_map.items()
            if entry.get("callback") is func
        )
        key, entry = next(registered, ("", dict[str, Any]()))
        if entry.get("background"):
            return None
        outputs = ", ".join(output.partition("@")[0] for output in key.strip(".").split("..."))
        return WatchedCallback(getattr(func, "__wrapped__", func), outputs)

    def _run(self, call: Callable[[], Any], callback: WatchedCallback) -> Any:
        run = self._guard.begin(callback)
        is_ended = True
        try:
            answer = call()
            later = _LATER.get(_kind(answer))
            if later is None:
                return answer
            is_ended = False
            return later(self, answer, run)
        finally:
            if is_ended:
                self._end(run)

    async def _await(self, answer: Coroutine[Any, Any, Any], run: WatchedRun) -> Any:
        try:
            return await answer
        finally:
            self._end(run)

    def _generate(
        self, answer: Generator[Any, Any, Any], run: WatchedRun
    ) -> Generator[Any, Any, Any]:
        try:
            return (yield from answer)
        finally:
            self._end(run)

    async def _generate_async(
        self, answer: AsyncGenerator[Any, Any], run: WatchedRun
    ) -> AsyncGenerator[Any, Any]:
        try:
            async for part in answer:
                yield part
        finally:
            self._end(run)

    def _end(self, run: WatchedRun) -> None:
        """Report what has changed, whether the callback returned a value or raised an error.

        Raises:
            SharedStateChanged: Something has changed, and the guard is in mode "raise". It replaces
                the callback's value or error.
        """
        found = run.end()
        if not found:
            return
        self._guard.log(run.callback, found)
        if self._is_raising:
            raise SharedStateChanged("\n\n".join(map(str, found)))
        _found_in_request().extend(found)

    def _answer(self, response: Response) -> Response:
        """Send the reports with the callback's answer, if the page has a panel to show them."""
        if self._app._dev_tools.ui and _found_in_request():
            response.headers[_HEADER] = _header(_found_in_request())
        return response

    def _page_script(self) -> dict[str, str]:
        source = f"{self._app.config.requests_pathname_prefix}_dash-stash/guard.js"
        return {"src": source} if self._app._dev_tools.ui else {}


_LATER: Final[dict[str, Callable[[_Watching, Any, WatchedRun], Any]]] = {
    "coroutine": _Watching._await,
    "generator": _Watching._generate,
    "async generator": _Watching._generate_async,
}


def _kind(answer: object) -> str:
    """Return how a callback answers: at once, when awaited, or, from Dash 4.5, bit by bit."""
    if inspect.iscoroutine(answer):
        return "coroutine"
    if inspect.isgenerator(answer):
        return "generator"
    return "async generator" if inspect.isasyncgen(answer) else "at once"


def _header(found: list[SharedChange]) -> str:
    """Return the reports as the script reads them.

    Those that do not fit into a header that every server passes on are left out.
    """
    errors = [{"message": change.title, "html": _folded(str(change))} for change in found]
    text = ""
    for count in range(1, len(errors) + 1):
        longer = urllib.parse.quote(json.dumps(errors[:count]))
        if count > 1 and len(longer) > _LONGEST_HEADER:
            break
        text = longer
    return text


def _folded(text: str) -> str:
    """Return text in lines that fit into the panel."""
    return "\n".join(
        textwrap.fill(line, _PANEL_WIDTH, subsequent_indent="    ") for line in text.splitlines()
    )


def _serve_script() -> Response:
    return Response(_SCRIPT, mimetype="text/javascript")
