"""What users can reach: a public name is a promise, so a new one has to be written down here."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

import dash_stash
from dash_stash import Stash

SURFACE = """
AsyncMemo
    forget(*args, **kwargs)
    info()
    peek(*args, **kwargs)
    ref(*args, **kwargs)
    refresh(*args, **kwargs)
BudgetExceeded(where, what, size, budget)
ComputeFailed(kind, text)
ConfigError(*args, **kwargs)
FlightCycle(name, why=...)
    CHANGING
    COMPUTING
Memo
    forget(*args, **kwargs)
    info()
    peek(*args, **kwargs)
    ref(*args, **kwargs)
    refresh(*args, **kwargs)
MemoInfo(hits, misses, waits, seconds_saved, entries, bytes)
    bytes
    entries
    hits
    misses
    seconds_saved
    waits
NoSession(what, scope, why=...)
    BEGUN
    NOBODY
    OUTSIDE
    UNIDENTIFIED
    UNPROVEN
    UNSERVED
PartMissing(part, known)
    references
ReentrantCall(*args, **kwargs)
Ref
    delete()
    get()
    is_shared
    lasting(ttl)
    target
RefExpired(what, reason)
    references
RefInvalid(reason, prop)
    references
ScopeTooWide(function, scope, what, needed)
Session
    modify(name, change, *, default=...)
    rotate()
SharedStateChanged(report)
Stash(app=..., url=..., *, name=..., secret=..., user=..., max_bytes=..., max_entries=...,
        max_sessions=..., max_session_bytes=..., idle=..., cross_site=..., on_expired=...,
        guard=..., clock=...)
    forget(*, tag)
    init_app(app)
    memo(function=..., /, *, ttl=..., stale=..., scope=..., tags=..., version=...,
        ignore=..., share=..., **unknown)
    name
    put(value, *, ttl=..., share=...)
    ref(text)
StashError(*args, **kwargs)
StoreUnavailable(where, reason)
StoreUnsafe(folder, reason)
UnhashableArgument(function, parameter, path, kind)
Unstorable(path, kind, reason)
VariableUnreadable(variable, reason)
Variables
    modify(name, change, *, default=...)
"""

# Of these classes users never call the constructor.
_MADE_BY_STASH = {"AsyncMemo", "Memo", "Ref", "Session", "Variables"}


class _Default:
    def __repr__(self) -> str:
        return "..."


def _public(names: Iterable[str], kind: type) -> list[str]:
    """Return the public names that *kind* does not have from a class of Python's own."""
    bases = (base for base in kind.__mro__ if not base.__module__.startswith("dash_stash"))
    given = {name for base in bases for name in dir(base)}
    return sorted(name for name in names if not name.startswith("_") and name not in given)


def _shown(name: str, member: object) -> str:
    """Return a name, with its parameters if it is called: no annotations, defaults as dots."""
    if not callable(member):
        return name
    dots = _Default()
    parameters = [
        one.replace(annotation=one.empty, default=one.empty if one.default is one.empty else dots)
        for one in inspect.signature(member).parameters.values()
        if one.name != "self"
    ]
    return name + str(inspect.Signature(parameters))


def _surface(name: str) -> Iterable[str]:
    kind = getattr(dash_stash, name)
    yield name if name in _MADE_BY_STASH else _shown(name, kind.__init__)
    for member in _public(dir(kind), kind):
        yield f"    {_shown(member, inspect.getattr_static(kind, member))}"


def test_the_public_names_of_the_root_and_their_parameters_are_those_written_here() -> None:
    found = [line for name in dash_stash.__all__ for line in _surface(name)]
    assert found == SURFACE.strip().replace("\n        ", " ").splitlines()


def test_objects_have_no_public_attributes_but_a_stash_its_variables(stash: Stash) -> None:
    async def coroutine() -> None:
        """Return nothing."""

    assert _public(vars(stash), Stash) == ["app", "page", "session", "tab", "user"]
    others = (
        stash.memo(lambda: 1),
        stash.memo(coroutine),
        stash.put(1, share=True),
        stash.session,
    )
    assert [_public(vars(made), type(made)) for made in others] == [[], [], [], []]
