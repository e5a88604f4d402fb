"""What happens around each callback of an app: who asks is proven before, references become values, streams keep their visit."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from dash_stash.deployment import Deployment
from dash_stash.plugin.arguments import Arguments, registered
from dash_stash.plugin.hints import hinting
from dash_stash.plugin.visit import BrowserVisit
from dash_stash.scope import Visits

if TYPE_CHECKING:
    from dash import Dash


_is_awaited = functools.cache(inspect.iscoroutinefunction)  # asked for at each call of a callback


def prepare_callbacks(app: Dash, stash: Deployment) -> None:
    """Stand where Dash calls a callback with its arguments.

    `Dash._execute_callback(func, args, outputs_list, g)` is where every transport passes, unchanged
    from Dash 3.2 to 4.5.
    """
    arguments, execute = Arguments(app, stash.references), app._execute_callback
    callbacks = _Callbacks(app, stash.visitor)

    def execute_resolved(func, args, outputs_list, g):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 (Dash's own)
        visit = stash.visitor.current
        if not isinstance(visit, BrowserVisit):
            return hinting(stash, execute(func, arguments.resolve(func, args, g), outputs_list, g))
        visit.received = args
        callbacks.confirm(func, visit)
        call = hinting(stash, execute(func, arguments.resolve(func, args, g), outputs_list, g))
        return functools.partial(callbacks.run, func, call, visit)

    app._execute_callback = execute_resolved


class _Callbacks:
    """What is known of an app's callbacks."""

    def __init__(self, app: Dash, visits: Visits) -> None:
        self._app, self._visits = app, visits
        self._asks: dict[Callable[..., Any], bool] = {}
        self._streams: dict[Callable[..., Any], bool] = {}

    def confirm(self, func: Callable[..., Any], visit: BrowserVisit) -> None:
        """See that the cookie has not been replaced, before the callback runs: the browser can then send the request once more.

        A callback that has never asked who is there is not kept waiting for the proof.

        Raises:
            NoSession: It has.
        """
        if self._asks.get(func, True):
            visit.confirm()

    def run(self, func: Callable[..., Any], call: Callable[[], Any], visit: BrowserVisit) -> Any:
        """Call a callback, and bind the visit to what it goes on with."""
        visit.has_begun = True
        try:
            answer = call()
        finally:
            if not self._asks.get(func):
                # What is awaited may ask later on: until a callback has returned without having
                # asked, it may ask.
                self._asks[func] = bool(visit.asked - {"user"}) or _is_awaited(func)
        return (
            self._bound_later(answer, visit)
            if inspect.iscoroutine(answer) and self._is_stream(func)
            else answer
        )

    def _is_stream(self, func: Callable[..., Any]) -> bool:
        if func not in self._streams:
            self._streams[func] = bool(registered(self._app, func).get("stream"))
        return self._streams[func]

    async def _bound_later(self, answer: Coroutine[Any, Any, Any], visit: BrowserVisit) -> Any:
        """Await what Dash takes the answers of a stream from (`.frames`, from Dash 4.5), and bind the visit to them."""
        streamed = await answer
        visit.outlive()
        streamed.frames = self._bound(streamed.frames, visit)
        return streamed

    async def _bound(
        self, frames: AsyncGenerator[Any, None], visit: BrowserVisit
    ) -> AsyncGenerator[Any, None]:
        try:
            while True:
                # Each time: Dash may take every answer in another task, on a thread of its own,
                # without our context.
                self._visits.enter(visit)
                try:
                    frame = await anext(frames)
                except StopAsyncIteration:
                    return
                yield frame
        finally:
            self._visits.enter(visit)
            await frames.aclose()
