"""State on the server: a mapping per app, user, session, tab or page, with updates that are atomic over all workers."""

from __future__ import annotations

import logging
from collections.abc import Callable, ItemsView, Iterator, MutableMapping, ValuesView
from typing import TYPE_CHECKING, Any, NamedTuple

from dash_stash import flight, keys
from dash_stash.codec import Encoded, Unreadable, decode, encode, own
from dash_stash.deployment import Deployment
from dash_stash.entries import Facts
from dash_stash.errors import NoSession, VariableUnreadable
from dash_stash.scope import Scope, Visit
from dash_stash.stores.base import Flight, holder_of, patiently, read_patiently

_log = logging.getLogger("dash_stash")

_NOTHING: Any = object()
"""There is no such variable."""

_AGAIN: Any = object()
"""Another machine has changed the variable meanwhile."""


class _Held(NamedTuple):
    """A variable that nobody else changes.

    Whose it was when that began, whoever logs in meanwhile.
    """

    flight: Flight
    key: bytes
    owner: str


class Variables(MutableMapping[str, Any]):
    """Variables of the whole app, or of the present user, session, tab or page, by name.

    Reading a variable gives a private copy: to change what is stored, assign it again, or `modify`
    it. Every method that changes one variable is atomic over all threads, workers and machines;
    `update` and `clear` are so for each of the variables. Every method raises `NoSession` where
    there is no such user, session, tab or page, and `StoreUnavailable` while the store is out of
    reach.
    """

    def __init__(self, stash: Deployment, scope: Scope) -> None:
        """Made by `Stash`."""
        self._stash, self._scope = stash, scope

    if not TYPE_CHECKING:  # else any name would pass for an attribute's

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(name if name.startswith("_") else self._no_attribute(name, ""))

        def __setattr__(self, name: str, value: object) -> None:
            # It would be an attribute of this process, which all visitors of a worker share and
            # others do not see.
            if name not in ("_stash", "_scope"):
                raise AttributeError(self._no_attribute(name, " = ..."))
            super().__setattr__(name, value)

    def _no_attribute(self, name: str, doing: str) -> str:
        return f"stash.{self._scope} has no attribute {name!r}: variables are its items, write {self._shown(name)}{doing}"

    def __getitem__(self, name: str) -> Any:
        """Return a private copy of the variable's value.

        Raises:
            KeyError: There is no such variable; as a VariableUnreadable: there is, but this program
                cannot unpickle it.
        """
        value = self._read(self._key(name, self._owner()), name)
        if value is _NOTHING:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        """Whether there is such a variable."""
        return (
            isinstance(name, str)
            and read_patiently(self._stash.store, self._key(name, self._owner())) is not None
        )

    def __setitem__(self, name: str, value: object) -> None:
        """Store a value, which others see from now on.

        Raises:
            Unstorable: It cannot be pickled.
        """
        encoded = encode(value)
        self._alone(name, lambda held: self._write(held, name, encoded, None))

    def __delitem__(self, name: str) -> None:
        """Delete the variable."""
        if not self._delete(name):
            raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """Go through the names of the variables that there are now."""
        yield from self._names(self._owner())

    def _names(self, owner: str) -> Iterator[str]:
        prefix = self._prefix()
        with patiently():
            variables = self._stash.store.list(scope=owner, kind="state")
        for listed in variables:
            if listed.name.startswith(prefix):
                yield listed.name.removeprefix(prefix)

    def __len__(self) -> int:
        """Count the variables."""
        return sum(1 for _ in self)

    def items(self) -> ItemsView[str, Any]:
        """Go through names and values; what is deleted meanwhile is passed over."""
        return _Items(self)

    def values(self) -> ValuesView[Any]:
        """Go through the values; what is deleted meanwhile is passed over."""
        return _Values(self)

    def pop(self, name: str, default: Any = _NOTHING) -> Any:
        """Delete the variable and return its value, or *default* if there is none.

        Of several callers, one gets it.

        Raises:
            KeyError: There is no such variable, and no *default*.
            VariableUnreadable: This program cannot unpickle it.
        """

        def take(held: _Held) -> Any:
            value = self._read(held.key, name)
            return (
                value
                if value is _NOTHING or self._stash.store.delete(held.key, held.flight)
                else _AGAIN
            )

        value = self._alone(name, take)
        if value is not _NOTHING:
            return value
        if default is _NOTHING:
            raise KeyError(name)
        return default

    def popitem(self) -> tuple[str, Any]:
        """Delete some variable and return its name and value.

        Raises:
            KeyError: There is none.
        """
        while names := tuple(self):
            for name in names:
                value = self.pop(name, gone := object())
                if value is not gone:
                    return name, value
        raise KeyError(f"there are no variables in stash.{self._scope}")

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return the variable's value; if there is none, store *default* first.

        What is returned is a private copy.

        Raises:
            Unstorable: *default* cannot be pickled.
            VariableUnreadable: This program cannot unpickle the value.
        """

        def keep(held: _Held) -> Any:
            value = self._read(held.key, name)
            if value is not _NOTHING:
                return value
            encoded = encode(default)
            return self._write(held, name, encoded, self._copy(encoded))

        return self._alone(name, keep)

    def clear(self) -> None:
        """Delete all variables that there are now."""
        for name in tuple(self):
            self._delete(name)

    def __repr__(self) -> str:
        """Tell whose state this is, without a look at the store."""
        return f"<dash_stash state of the {self._scope}>"

    def modify(self, name: str, change: Callable[[Any], Any], *, default: object = None) -> Any:
        """Replace the variable's value by `change(value)` and return a private copy of that.

        Nobody else changes it meanwhile.

        *change* gets a private copy of *default* if there is no such variable. If it raises,
        nothing has changed. With many machines it may be called again, with what another one has
        stored meanwhile: then what it returned before has not been stored.

        Raises:
            FlightCycle: *change* modifies the same variable.
            Unstorable: The new value, or *default*, cannot be pickled.
            VariableUnreadable: This program cannot unpickle the value, which stays as it is.
        """
        if isinstance(name, str) and not callable(change):
            raise TypeError(
                f"{self._shown(name)}: modify takes a function of the old value, not {type(change).__qualname__}; to store a value "
                f"write {self._shown(name)} = ..."
            )

        def changed(held: _Held) -> Any:
            stored = self._read(held.key, name)
            before = self._copy(encode(default)) if stored is _NOTHING else stored
            try:
                value = change(before)
            except (AttributeError, TypeError) as error:  # as None leads to
                if stored is _NOTHING and default is None:
                    error.add_note(
                        f"There is no {self._shown(name)} yet, so the function got None: say default=... in modify."
                    )
                raise
            if value is None and before is not None and self._stash.is_debug:
                _log.warning(
                    "stash.%s.modify(%r, ...) stores None in the place of a %s: what the function returns is stored, and this one "
                    "returned None. Let it return the new value (list.append and the like return None).",
                    *(self._scope, name, type(before).__qualname__),
                )
            encoded = encode(value)
            return self._write(held, name, encoded, self._copy(encoded))

        return self._alone(name, changed)

    def _alone(self, name: str, act: Callable[[_Held], Any]) -> Any:
        """Return what *act* does while nobody else changes the variable, called again for as long as that is `_AGAIN`."""
        owner = self._owner()
        key, shown = self._key(name, owner), self._shown(name)
        result = _AGAIN
        while result is _AGAIN:
            result = flight.exclusively(
                self._stash.store, key, shown, lambda held: act(_Held(held, key, owner))
            )
        return result

    def _delete(self, name: str) -> bool:
        """Delete a variable, readable or not; False if there is none."""

        @patiently()
        def delete(held: _Held) -> Any:
            if self._stash.store.read(held.key) is None:
                return False
            return True if self._stash.store.delete(held.key, held.flight) else _AGAIN

        deleted: bool = self._alone(name, delete)
        return deleted

    def _read(self, key: bytes, name: str) -> Any:
        found = read_patiently(self._stash.store, key)
        try:
            return (
                _NOTHING
                if found is None
                else decode(found.encoded, references=self._stash.references)
            )
        except Unreadable as error:
            raise VariableUnreadable(self._shown(name), str(error)) from error

    def _copy(self, encoded: Encoded) -> Any:
        return decode(own(encoded), references=self._stash.references)

    @patiently()
    def _write(self, held: _Held, name: str, encoded: Encoded, result: Any) -> Any:
        """Store a value and return *result*.

        `_AGAIN` if another may have changed the variable since it was held.
        """
        facts = Facts("state", self._prefix() + name, self._stash.clock(), scope=held.owner)
        if self._stash.store.commit(held.flight, held.key, facts, encoded):
            return result
        if facts.scope and self._stash.store.has_ended(holder_of(facts.scope)):
            raise NoSession(self._shown(name), self._scope)  # meanwhile
        return _AGAIN

    def _shown(self, name: str) -> str:
        return f"stash.{self._scope}[{name!r}]"

    def _key(self, name: str, owner: str) -> bytes:
        if not isinstance(name, str):
            raise TypeError(
                f"{self._shown(name)}: names of variables are text, not {type(name).__name__}"
            )
        return keys.digest(
            b"state", owner.encode(), (self._prefix() + name).encode("utf-8", "surrogatepass")
        )

    def _owner(self) -> str:
        return self._stash.visitor.owner(self._scope, f"stash.{self._scope}")

    def _prefix(self) -> str:
        # Two apps of one source file share a folder; where they are served tells their variables
        # apart.
        return self._stash.prefix + ":"


class _Items(ItemsView[str, Any]):
    """Names and values, one by one as they are when it is their turn."""

    _mapping: Variables

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        owner = self._mapping._owner()
        for name in self._mapping._names(owner):
            value = self._mapping._read(self._mapping._key(name, owner), name)
            if value is not _NOTHING:
                yield name, value


class _Values(ValuesView[Any]):
    _mapping: Variables

    def __iter__(self) -> Iterator[Any]:
        return (value for _, value in self._mapping.items())


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
        """Give the browser another cookie for the same data, as on login: whoever knew the old one has nothing.

        Raises:
            NoSession: Another request has done so since this one began.
        """
        self._owner()
        self._visit().rotate()

    def _visit(self) -> Visit:
        visit = self._stash.visitor.current
        assert visit is not None  # noqa: S101 (its session was proven)
        return visit
