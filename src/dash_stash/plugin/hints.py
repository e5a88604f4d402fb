"""Hints for developers whose callback returns a value, or a reference, to the wrong place."""

from __future__ import annotations

import functools
import inspect
import logging
import re
from collections.abc import Callable, Coroutine
from typing import Any

from dash.exceptions import InvalidCallbackReturnValue

from dash_stash.deployment import Deployment
from dash_stash.ref import PREFIX

_log = logging.getLogger("dash_stash")

# Properties whose value the browser itself needs, as Dash writes them: without spaces.
_SHOWN = re.compile(rf'"(children|figure|options|rowData)":"{PREFIX}')


def hinting(deployment: Deployment, call: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a callback's call so that it explains an answer that the browser cannot use."""
    return functools.partial(_answer, deployment, call)


def _answer(deployment: Deployment, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        answered = call(*args, **kwargs)
    except InvalidCallbackReturnValue as error:
        _hint_at_references(error)
        raise
    if deployment.is_debug and isinstance(answered, str):
        _look_for_shown(answered)
    return _awaited(deployment, answered) if inspect.iscoroutine(answered) else answered


async def _awaited(deployment: Deployment, answered: Coroutine[Any, Any, Any]) -> Any:
    try:
        answer = await answered
    except InvalidCallbackReturnValue as error:
        _hint_at_references(error)
        raise
    if deployment.is_debug and isinstance(answer, str):
        _look_for_shown(answer)
    return answer


def _look_for_shown(answer: str) -> None:
    shown = _SHOWN.search(answer)
    if shown is not None:
        _log.warning(
            "a callback returned a reference as the %s of a component, but the browser only has "
            "the text of a reference, not its value: return it as the data of a dcc.Store, so that "
            "other callbacks get the value, or return the value itself",
            shown[1],
        )


def _hint_at_references(error: InvalidCallbackReturnValue) -> None:
    if "JSON" in str(error):
        error.add_note(
            "To pass a DataFrame, array or other Python object to another callback, return a "
            "reference, stash.put(value) or memo_function.ref(...), as the data of a dcc.Store; "
            "a callback that has this data as an input gets the value."
        )
