"""State on the server: a mapping per app, user, session, tab or page, with updates that are atomic over all workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dash_stash import flight, keys
from dash_stash.codec import Unreadable, decode, encode
from dash_stash.errors import NoSession, StoreUnavailable
from dash_stash.layout import Facts
from dash_stash.scope import Scope, Visit
from dash_stash.stores.base import Flight, Landed, holder_of, patiently

if TYPE_CHECKING:
    from dash_stash.stash import Stash

_NOTHING: Any = object()


class Variables(MutableMapping[str, Any]):
    """Variables of the whole app, or of the present user, session, tab or page, by name.

    Reading a variable gives a private copy: to change what is stored, assign it again, or `modify` it.
    Every method raises `NoSession` where there is no such user, session, tab or page, and `StoreUnavailable` while the store
    is out of reach.
    """

    def __init__(self, stash: Stash, scope: Scope) -> None:
        """Made by `Stash`."""
        self._stash, self._scope = stash, scope

    def __getitem__(self, name: str) -> Any:
        """Return a private copy of the variable's value."""
        value = self._read(self._key(name))
        if value is _NOTHING:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: object) -> None:
        """Store a value, which others see from now on.

        Raises:
            Unstorable: It cannot be pickled.
        """
        self._replace(name, lambda _: value)

    def __delitem__(self, name: str) -> None:
        """Delete the variable."""
        key = self._key(name)
        with self._held(key, name), patiently():
            if self._stash.store.read(key) is None:
                raise KeyError(name)
            self._stash.store.delete(key)

    def __iter__(self) -> Iterator[str]:
        """Go through the names of the variables that there are now."""
        owner = self._owner()
        prefix = self._prefix()
        with patiently():
            variables = self._stash.store.list(scope=owner, kind="state")
        for listed in variables:
            if listed.name.startswith(prefix):
                yield listed.name.removeprefix(prefix)

    def __len__(self) -> int:
        """Count the variables."""
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Delete all variables."""
        for name in tuple(self):
            self.pop(name, None)

    def __repr__(self) -> str:
        """Tell whose state this is, without a look at the store."""
        return f"<dash_stash state of the {self._scope}>"

    def modify(self, name: str, change: Callable[[Any], Any], *, default: object = None) -> Any:
        """Replace the variable's value by `change(value)` and return that; nobody else changes it meanwhile.

        *change* gets *default* if there is no such variable. If it raises, nothing has changed. With many machines it may be called
        again, with what another one has stored meanwhile: then what it returned before has not been stored.

        Raises:
            FlightCycle: *change* modifies the same variable.
            Unstorable: The new value cannot be pickled.
        """

        def changed(key: bytes) -> Any:
            before = self._read(key)
            return change(default if before is _NOTHING else before)

        return self._replace(name, changed)

    def _replace(self, name: str, new_value: Callable[[bytes], Any]) -> Any:
        """Store a variable's new value, made while nobody else changes it, and return that."""
        key = self._key(name)
        while True:
            with self._held(key, name) as held:
                value = new_value(key)
                if self._write(held, key, name, value):
                    return value

    @contextmanager
    def _held(self, key: bytes, name: str) -> Iterator[Flight]:
        """Be the only one who changes a variable."""
        with flight.computing(key, name):
            joined = self._join(key)
            while joined is None or isinstance(joined, Landed):
                joined = self._join(key)
            try:
                yield joined
            finally:
                with patiently():
                    joined.land()

    @patiently()
    def _join(self, key: bytes) -> Flight | Landed | None:
        return self._stash.store.join(key)

    def _read(self, key: bytes) -> Any:
        try:
            found = self._stash.store.read(key)
        except StoreUnavailable:
            with patiently():  # not from the beginning: that costs a sixth of a read
                found = self._stash.store.read(key)
        try:
            return _NOTHING if found is None else decode(found.encoded)
        except Unreadable:
            return _NOTHING

    @patiently()
    def _write(self, held: Flight, key: bytes, name: str, value: object) -> bool:
        """Store a value; False if another may have changed the variable since it was held."""
        facts = Facts("state", self._prefix() + name, self._stash.clock(), scope=self._owner())
        if self._stash.store.commit(held, key, facts, encode(value)):
            return True
        if facts.scope and self._stash.store.has_ended(holder_of(facts.scope)):
            raise NoSession(f"stash.{self._scope}[{name!r}]", self._scope)  # meanwhile
        return False

    def _key(self, name: str) -> bytes:
        if not isinstance(name, str):
            raise TypeError(f"stash.{self._scope}[{name!r}]: names of variables are text, not {type(name).__name__}")
        return keys.digest(b"state", self._owner().encode(), (self._prefix() + name).encode("utf-8", "surrogatepass"))

    def _owner(self) -> str:
        return self._stash.visits.owner(self._scope, f"stash.{self._scope}")

    def _prefix(self) -> str:
        # Two apps of one source file share a folder; where they are served tells their variables apart.
        return self._stash.namespace + ":"


class Session(Variables):
    """The variables of the present browser session, and the session itself."""

    @patiently()
    def clear(self) -> None:
        """End the session, as on logout: all its data goes, of its tabs and pages too, and the browser gets a new one.

        That is final: what a slower request of the ended session stores later is not stored, and nothing that the browser had
        before, its cookie and its references, opens anything.
        """
        self._stash.store.end(self._owner())
        self._visit().end()

    @patiently()
    def rotate(self) -> None:
        """Give the browser another cookie for the same data, as on login: whoever knew the old one has nothing."""
        self._owner()
        self._visit().rotate()

    def _visit(self) -> Visit:
        visit = self._stash.visits.current
        assert visit is not None  # noqa: S101 (its session was proven)
        return visit
