"""State on the server: variables of the app, or of each user, session, tab or page.

Updates are atomic across all workers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, ItemsView, Iterator, MutableMapping, ValuesView
from typing import TYPE_CHECKING, Any, NamedTuple

from dash_stash import flight, keys
from dash_stash.codec import Encoded, Unreadable, decode, encode, own
from dash_stash.deployment import Deployment
from dash_stash.entries import Facts
from dash_stash.errors import NoSession, VariableUnreadable
from dash_stash.owner import Owner, Scope, account_of
from dash_stash.stores.base import Flight, patiently, read_patiently
from dash_stash.visitor import Visitor

_log = logging.getLogger("dash_stash")

_NOTHING: Any = object()
"""There is no such variable."""

_AGAIN: Any = object()
"""Another machine has changed the variable meanwhile."""


class _Held(NamedTuple):
    """A variable that nobody else can change until its flight ends."""

    flight: Flight
    key: bytes
    owner: Owner
    """The owner when the flight began, even if somebody logs in meanwhile."""


class Variables(MutableMapping[str, Any]):
    """The variables of the whole app, or of the present user, session, tab or page: a mapping.

    Reading a variable returns a private copy. To change what is stored, assign a new value, or call
    `modify`. Each method that changes one variable is atomic across threads, workers and machines;
    `update` and `clear` change one variable after the other. Every method raises `NoSession` if
    there is no such user, session, tab or page, and `StoreUnavailable` if the store is out of
    reach.
    """

    def __init__(self, deployment: Deployment, scope: Scope) -> None:
        """Made by `Stash`."""
        self._deployment, self._scope = deployment, scope

    if not TYPE_CHECKING:  # else any name would pass for an attribute's

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(name if name.startswith("_") else self._no_attribute(name, ""))

        def __setattr__(self, name: str, value: object) -> None:
            # An attribute would belong to this process: all its visitors would share it, and other
            # workers would not have it.
            if name not in ("_deployment", "_scope"):
                raise AttributeError(self._no_attribute(name, " = ..."))
            super().__setattr__(name, value)

    def _no_attribute(self, name: str, doing: str) -> str:
        return (
            f"stash.{self._scope} has no attribute {name!r}: variables are its items, "
            f"write {self._shown(name)}{doing}"
        )

    def __getitem__(self, name: str) -> Any:
        """Return a private copy of the variable's value.

        Raises:
            KeyError: There is no such variable.
            VariableUnreadable: It is stored, but this program cannot unpickle it; also a KeyError.
        """
        value = self._read(self._key(name, self._owner()), name)
        if value is _NOTHING:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        """Return whether there is a variable with this name."""
        return (
            isinstance(name, str)
            and read_patiently(self._deployment.store, self._key(name, self._owner())) is not None
        )

    def __setitem__(self, name: str, value: object) -> None:
        """Store a value; everybody who reads the variable gets it from now on.

        Raises:
            Unstorable: The value cannot be pickled.
        """
        encoded = encode(value)
        self._alone(name, lambda held: self._write(held, name, encoded, None))

    def __delitem__(self, name: str) -> None:
        """Delete the variable.

        Raises:
            KeyError: There is no such variable.
        """
        if not self._delete(name):
            raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the variables that exist now."""
        yield from self._names(self._owner())

    def _names(self, owner: Owner) -> Iterator[str]:
        prefix = self._prefix()
        with patiently():
            variables = self._deployment.store.list(owner=owner, kind="state")
        for listed in variables:
            if listed.name.startswith(prefix):
                yield listed.name.removeprefix(prefix)

    def __len__(self) -> int:
        """Count the variables."""
        return sum(1 for _ in self)

    def items(self) -> ItemsView[str, Any]:
        """Return the names and values; variables that are deleted meanwhile are left out."""
        return _Items(self)

    def values(self) -> ValuesView[Any]:
        """Return the values; variables that are deleted meanwhile are left out."""
        return _Values(self)

    def pop(self, name: str, default: Any = _NOTHING) -> Any:
        """Delete the variable and return its value, or *default* if there is none.

        If several callers do this at the same time, only one gets the value.

        Raises:
            KeyError: There is no such variable, and no *default* was given.
            VariableUnreadable: This program cannot unpickle the value.
        """

        def take(held: _Held) -> Any:
            value = self._read(held.key, name)
            return (
                value
                if value is _NOTHING or self._deployment.store.delete(held.key, held.flight)
                else _AGAIN
            )

        value = self._alone(name, take)
        if value is not _NOTHING:
            return value
        if default is _NOTHING:
            raise KeyError(name)
        return default

    def popitem(self) -> tuple[str, Any]:
        """Delete any one variable and return its name and value.

        Raises:
            KeyError: There are no variables.
        """
        while names := tuple(self):
            for name in names:
                value = self.pop(name, gone := object())
                if value is not gone:
                    return name, value
        raise KeyError(f"there are no variables in stash.{self._scope}")

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return a private copy of the variable's value; if there is none, store *default* first.

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
        """Delete all variables that exist now."""
        for name in tuple(self):
            self._delete(name)

    def __repr__(self) -> str:
        """Show the scope of the variables, without reading the store."""
        return f"<dash_stash state of the {self._scope}>"

    def modify(self, name: str, change: Callable[[Any], Any], *, default: object = None) -> Any:
        """Replace the variable's value with `change(value)`, and return a private copy of the new.

        Nobody else can change the variable meanwhile.

        If there is no such variable, *change* gets a private copy of *default*. If *change* raises
        an error, nothing is stored. With a server, *change* may be called again with a value that
        another machine has stored meanwhile; what it returned before is then thrown away.

        Raises:
            FlightCycle: *change* modifies the same variable.
            Unstorable: The new value, or *default*, cannot be pickled.
            VariableUnreadable: This program cannot unpickle the value, which stays as it is.
        """
        if isinstance(name, str) and not callable(change):
            raise TypeError(
                f"{self._shown(name)}: modify takes a function of the old value, not "
                f"{type(change).__qualname__}; to store a value, write {self._shown(name)} = ..."
            )

        def changed(held: _Held) -> Any:
            stored = self._read(held.key, name)
            before = self._copy(encode(default)) if stored is _NOTHING else stored
            try:
                value = change(before)
            except (AttributeError, TypeError) as error:  # typical errors of a function given None
                if stored is _NOTHING and default is None:
                    error.add_note(
                        f"There is no {self._shown(name)} yet, so the function got None: "
                        "pass default=... to modify."
                    )
                raise
            if value is None and before is not None and self._deployment.is_debug:
                self._warn_of_none(name, before)
            encoded = encode(value)
            return self._write(held, name, encoded, self._copy(encoded))

        return self._alone(name, changed)

    def _warn_of_none(self, name: str, before: object) -> None:
        _log.warning(
            "stash.%s.modify(%r, ...) replaces a %s with None: modify stores what the function "
            "returns, and this one returned None. Let it return the new value (list.append and "
            "the like return None).",
            *(self._scope, name, type(before).__qualname__),
        )

    def _alone(self, name: str, act: Callable[[_Held], Any]) -> Any:
        """Call *act* while nobody else can change the variable, and return its result.

        *act* is called again as long as it returns `_AGAIN`.
        """
        owner = self._owner()
        key, shown = self._key(name, owner), self._shown(name)
        result = _AGAIN
        while result is _AGAIN:
            result = flight.exclusively(
                self._deployment.store, key, shown, lambda held: act(_Held(held, key, owner))
            )
        return result

    def _delete(self, name: str) -> bool:
        """Delete a variable, even an unreadable one; return False if there is none."""

        @patiently()
        def delete(held: _Held) -> Any:
            if self._deployment.store.read(held.key) is None:
                return False
            return True if self._deployment.store.delete(held.key, held.flight) else _AGAIN

        deleted: bool = self._alone(name, delete)
        return deleted

    def _read(self, key: bytes, name: str) -> Any:
        found = read_patiently(self._deployment.store, key)
        try:
            return (
                _NOTHING
                if found is None
                else decode(found.encoded, references=self._deployment.references)
            )
        except Unreadable as error:
            raise VariableUnreadable(self._shown(name), str(error)) from error

    def _copy(self, encoded: Encoded) -> Any:
        return decode(own(encoded), references=self._deployment.references)

    @patiently()
    def _write(self, held: _Held, name: str, encoded: Encoded, result: Any) -> Any:
        """Store a value and return *result*.

        `_AGAIN` if another machine may have changed the variable since the flight began.
        """
        facts = Facts("state", self._prefix() + name, self._deployment.clock(), owner=held.owner)
        if self._deployment.store.commit(held.flight, held.key, facts, encoded):
            return result
        if held.owner and self._deployment.store.has_ended(account_of(held.owner)):
            raise NoSession(self._shown(name), self._scope)  # it has ended meanwhile
        return _AGAIN

    def _shown(self, name: str) -> str:
        return f"stash.{self._scope}[{name!r}]"

    def _key(self, name: str, owner: Owner) -> bytes:
        if not isinstance(name, str):
            raise TypeError(
                f"{self._shown(name)}: names of variables are text, not {type(name).__name__}"
            )
        return keys.digest(
            b"state", owner.encode(), (self._prefix() + name).encode("utf-8", "surrogatepass")
        )

    def _owner(self) -> Owner:
        return self._deployment.visitor.owner(self._scope, f"stash.{self._scope}")

    def _prefix(self) -> str:
        # Two apps with one name share a folder: the URL path separates their variables.
        return self._deployment.prefix + ":"


class _Items(ItemsView[str, Any]):
    """Names and values; each value is read only when the iteration reaches it."""

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
    """The variables of the present browser session, with methods to end or renew the session."""

    @patiently()
    def clear(self) -> None:
        """End the session, for a logout, and start a new one for the browser.

        All data of the session is deleted, including the data of its tabs and pages. Nothing comes
        back: a slower request of the ended session cannot store anything any more, and the
        browser's old cookie and references open nothing.
        """
        self._deployment.store.end(self._owner())
        self._visitor().end()

    @patiently()
    def rotate(self) -> None:
        """Give the browser a new cookie for the same session, for a login.

        The old cookie is worthless from now on, for anybody who knows it.

        Raises:
            NoSession: Another request has rotated the session since this request began.
        """
        self._owner()
        self._visitor().rotate()

    def _visitor(self) -> Visitor:
        visitor = self._deployment.visitor.current
        assert visitor is not None  # noqa: S101 (the session was proven)
        return visitor
