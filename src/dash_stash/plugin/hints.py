"""What is said beside a callback's answer where a value, or a reference, came to the wrong place."""

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

# As Dash writes it, without spaces: properties whose value the browser itself needs.
_SHOWN = re.compile(rf'"(children|figure|options|rowData)":"{PREFIX}')


def hinting(stash: Deployment, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a callback's call that says more where a value, or a reference, came to the wrong place."""
    return functools.partial(_answer, stash, call)


def _answer(stash: Deployment, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        answered = call(*args, **kwargs)
    except InvalidCallbackReturnValue as error:
        _hint_at_references(error)
        raise
    if stash.is_debug and isinstance(answered, str):
        _look_for_shown(answered)
    return _awaited(stash, answered) if inspect.iscoroutine(answered) else answered


async def _awaited(stash: Deployment, answered: Coroutine[Any, Any, Any]) -> Any:
    try:
        answer = await answered
    except InvalidCallbackReturnValue as error:
        _hint_at_references(error)
        raise
    if stash.is_debug and isinstance(answer, str):
        _look_for_shown(answer)
    return answer


def _look_for_shown(answer: str) -> None:
    shown = _SHOWN.search(answer)
    if shown is not None:
        _log.warning(
            "a callback returned a reference as the %s of a component, of which the browser knows the text only: return it as the "
            "data of a dcc.Store, from which callbacks get the value, or return the value itself",
            shown[1],
        )


def _hint_at_references(error: InvalidCallbackReturnValue) -> None:
    if "JSON" in str(error):
        error.add_note(
            "A DataFrame, array or other Python object reaches another callback by a reference: return stash.put(value), or "
            "memo_function.ref(...), as the data of a dcc.Store; the callback that has it as an input gets the value."
        )
