"""What happens around each callback of an app.

Before it, references become values; a stream keeps its visitor.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from dash_stash.deployment import Deployment
from dash_stash.plugin.arguments import ArgumentResolver, registered
from dash_stash.plugin.hints import hinting
from dash_stash.plugin.visitor import BrowserVisitor
from dash_stash.visitor import CurrentVisitor

if TYPE_CHECKING:
    from dash import Dash

_is_awaited = functools.cache(inspect.iscoroutinefunction)  # asked for at each call of a callback


def prepare_callbacks(app: Dash, deployment: Deployment) -> None:
    """Wrap the method by which Dash calls a callback with its arguments.

    Every transport calls `Dash._execute_callback(func, args, outputs_list, g)`, unchanged from
    Dash 3.2 to 4.5.
    """
    arguments, execute = ArgumentResolver(app, deployment.references), app._execute_callback
    current = deployment.visitor
    callbacks = _Callbacks(app, current)

    def execute_resolved(func: Any, args: Any, outputs_list: Any, g: Any) -> Callable[[], Any]:
        visitor = current.current
        if isinstance(visitor, BrowserVisitor):
            visitor.received = args
            callbacks.confirm(func, visitor)
        call = execute(func, arguments.resolve(func, args, g), outputs_list, g)
        call = hinting(deployment, call)
        if not isinstance(visitor, BrowserVisitor):
            return call
        return functools.partial(callbacks.run, func, call, visitor)

    app._execute_callback = execute_resolved


class _Callbacks:
    """What is known of an app's callbacks."""

    def __init__(self, app: Dash, current: CurrentVisitor) -> None:
        self._app, self._current = app, current
        self._asks: dict[Callable[..., Any], bool] = {}
        self._streams: dict[Callable[..., Any], bool] = {}

    def confirm(self, func: Callable[..., Any], visitor: BrowserVisitor) -> None:
        """Check that the cookie has not been replaced, before the callback runs.

        If it has, the browser can send the request once more. A callback that has never asked who
        is there does not wait for this.

        Raises:
            NoSession: It has.
        """
        if self._asks.get(func, True):
            visitor.confirm()

    def run(
        self, func: Callable[..., Any], call: Callable[[], Any], visitor: BrowserVisitor
    ) -> Any:
        """Call a callback, and bind the visitor to what it goes on with."""
        visitor.has_begun = True
        try:
            answer = call()
        finally:
            if not self._asks.get(func):
                # A callback counts as one that asks until it has returned without having asked; one
                # that is awaited always does.
                self._asks[func] = bool(visitor.asked - {"user"}) or _is_awaited(func)
        return (
            self._bound_later(answer, visitor)
            if inspect.iscoroutine(answer) and self._is_stream(func)
            else answer
        )

    def _is_stream(self, func: Callable[..., Any]) -> bool:
        if func not in self._streams:
            self._streams[func] = bool(registered(self._app, func).get("stream"))
        return self._streams[func]

    async def _bound_later(self, answer: Coroutine[Any, Any, Any], visitor: BrowserVisitor) -> Any:
        """Await the object whose `.frames` Dash streams (from Dash 4.5), and bind the visitor."""
        streamed = await answer
        visitor.outlive()
        streamed.frames = self._bound(streamed.frames, visitor)
        return streamed

    async def _bound(
        self, frames: AsyncGenerator[Any, None], visitor: BrowserVisitor
    ) -> AsyncGenerator[Any, None]:
        try:
            while True:
                # Each time: Dash may take each frame in another task, on another thread, without
                # our context.
                self._current.enter(visitor)
                try:
                    frame = await anext(frames)
                except StopAsyncIteration:
                    return
                yield frame
        finally:
            self._current.enter(visitor)
            await frames.aclose()
