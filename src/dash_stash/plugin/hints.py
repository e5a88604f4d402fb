"""What is said beside a callback's answer where a value, or a reference, came to the wrong place."""

from __future__ import annotations

import contextlib
import inspect
import logging
import re
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from dash.exceptions import InvalidCallbackReturnValue

from dash_stash.ref import PREFIX

if TYPE_CHECKING:
    from dash_stash.stash import Stash

_log = logging.getLogger("dash_stash")

# As Dash writes it, without spaces: properties whose value the browser itself needs.
_SHOWN = re.compile(rf'"(children|figure|options|rowData)":"{PREFIX}')


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
        shown = _SHOWN.search(answered) if stash.is_debug and isinstance(answered, str) else None
        if shown is not None:
            _log.warning(
                "a callback returned a reference as the %s of a component, of which the browser knows the text only: return it as the "
                "data of a dcc.Store, from which callbacks get the value, or return the value itself",
                shown[1],
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
