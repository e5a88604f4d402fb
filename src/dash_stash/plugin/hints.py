"""What is said beside a callback's answer where a value, or a reference, came to the wrong place."""

from __future__ import annotations

import contextlib
import inspect
import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from dash.exceptions import InvalidCallbackReturnValue

from dash_stash.ref import PREFIX

if TYPE_CHECKING:
    from dash_stash.stash import Stash

_log = logging.getLogger("dash_stash")

# As Dash writes it, without spaces.
_SHOWN = f'"children":"{PREFIX}'


def hinting(stash: Stash, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a callback's call that says more where a value, or a reference, came to the wrong place."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        with _hint_at_references():
            answered = call(*args, **kwargs)
        return awaited(answered) if inspect.iscoroutine(answered) else checked(answered)

    async def awaited(answered: Coroutine[Any, Any, Any]) -> Any:
        with _hint_at_references():
            return checked(await answered)

    def checked(answered: Any) -> Any:
        if stash.is_debug and isinstance(answered, str) and _SHOWN in answered:
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
