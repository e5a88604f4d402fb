"""Memo functions: computed once per argument set, over all threads, processes and machines that share the store."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Container, Coroutine
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from dash_stash import flight, identity, keys
from dash_stash.codec import Unreadable, decode, encode
from dash_stash.errors import ConfigError, StoreUnavailable, UnhashableArgument, Unstorable
from dash_stash.flight import MISSING, Save
from dash_stash.layout import Facts
from dash_stash.ref import Ref, Target
from dash_stash.scope import APP, Scope
from dash_stash.stores.base import Flight, Found, Landed

if TYPE_CHECKING:
    from dash_stash.stash import Stash

_log = logging.getLogger("dash_stash")

P = ParamSpec("P")
R = TypeVar("R")

# Arguments of these types, compared with their types, are equal exactly if their keys are.
_PLAIN = frozenset({str, int, bool, bytes, type(None)})
_SPELLINGS = 4096
_LONGEST_SPELLING = 1024


@dataclass(frozen=True, slots=True)
class Options:
    """What `@stash.memo(...)` was given; times in seconds."""

    ttl: float = float("inf")
    stale: float = 0.0
    scope: Scope = "app"
    tags: tuple[str, ...] = ()
    version: object = None
    ignore: frozenset[str] = frozenset()
    share: bool = False


@dataclass(frozen=True, slots=True)
class MemoInfo:
    """How a memo function has done: calls of this process, and what the store holds of it for everybody."""

    hits: int
    misses: int
    waits: int
    """Calls that found nothing and got what another computed meanwhile."""

    seconds_saved: float
    entries: int
    bytes: int


@dataclass(slots=True)
class Counters:
    """Calls of one function in this process."""

    hits: int = 0
    misses: int = 0
    waits: int = 0
    seconds_saved: float = 0.0


class Call:
    """One call of a memo function with one set of arguments: a `flight.Task`."""

    def __init__(self, memo: Memo[Any, Any], key: bytes, args: tuple[Any, ...], kwargs: dict[str, Any], owner: str) -> None:
        """Take the function, the key of the call, the arguments, and whose the value is."""
        self._memo, self.key, self.args, self.kwargs, self.owner = memo, key, args, kwargs, owner
        self.name = memo.name

    def load(self, *, waited: bool = False) -> Any:
        """Return the stored value if it is fresh, else MISSING."""
        found = self._memo._find(self.key)
        if found is None or found.entry.facts.fresh_until <= self._memo.stash.clock():
            return MISSING
        value = self._memo._read(found)
        self._memo.counters.waits += waited and value is not MISSING
        return value

    def compute(self) -> Any:
        """Call the function."""
        self._memo.counters.misses += 1
        return self._memo.function(*self.args, **self.kwargs)

    def begin(self) -> Save:
        """Note what the value's tags are worth now, and return what stores it."""
        tags = self._memo.stash.store.epochs(self._memo.tags)

        def save(held: Flight | None, value: Any, took: float) -> None:
            stash, options = self._memo.stash, self._memo.options
            now = stash.clock()
            fresh_until = now + options.ttl
            facts = Facts("memo", self.name, now, fresh_until, fresh_until + options.stale, self.owner, tags, took)
            stash.store.commit(held, self.key, facts, encode(value))

        return save


class Memo(Generic[P, R]):
    """A function that is computed once per argument set. Calling it returns the value, a private copy for each caller."""

    def __init__(self, stash: Stash, function: Callable[P, R], options: Options) -> None:
        """Made by `@stash.memo`.

        Raises:
            ConfigError: It is no plain function, it is a method whose `self` is not ignored, or an ignored name is no parameter.
        """
        if not isinstance(function, FunctionType):
            raise ConfigError(f"@stash.memo takes a function, not {function!r}: wrap it in a def")
        functools.update_wrapper(self, function)
        self.stash, self.function, self.options = stash, function, options
        self.name = f"{identity.module_name(function)}.{function.__qualname__}"
        self.counters = Counters()
        self._signature = inspect.signature(function)
        _check_parameters(self.name, self._signature, function.__code__.co_freevars, options.ignore)
        version = b"" if options.version is None else keys.of_value(options.version, "version")
        self.id = keys.digest(identity.of_function(function), version, options.scope.encode())
        self.tags = (f"function:{self.id.hex()}", *(f"tag:{tag}" for tag in options.tags))
        self._spellings: dict[Any, tuple[bytes, str]] = {}
        # With a closure, or for a session, the same spelling may be another call later.
        self._remembers = options.scope == "app" and options.ignore.issuperset(function.__code__.co_freevars)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """As a method, be called with the instance, which is ignored."""
        return self if instance is None else _Bound(self, instance)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the value for these arguments: stored, or computed now.

        Raises:
            UnhashableArgument: An argument has no value to make a key of.
            Unstorable: The function returned something that cannot be pickled.
            NoSession: The function's scope is the session or page, and there is none here.
        """
        key, owner = self._locate(args, kwargs)
        # The way of nearly every call, kept short: it takes two or three microseconds.
        found = self._find(key)
        value = MISSING
        if found is not None and found.entry.facts.fresh_until > self.stash.clock():
            value = self._count_hit(found)
        result: R = self._value(Call(self, key, args, kwargs, owner)) if value is MISSING else value
        return result

    def ref(self, *args: P.args, **kwargs: P.kwargs) -> Ref[R]:
        """Return a reference to the value, which is computed now if it is not stored.

        Should the value be evicted or expire, opening the reference computes it again.

        Raises:
            NoSession: Outside a request, unless the function is `@stash.memo(share=True)`.
            StoreUnavailable: Value or recipe cannot be stored now.
        """
        call = self._call(args, kwargs)
        ref = self._mint(call)
        if not self._is_stored(call):
            flight.run(self._steps(call))
        return ref

    def peek(self, *args: P.args, **kwargs: P.kwargs) -> R | None:
        """Return the stored value, be it stale, or None; never compute."""
        found = self._find(self._locate(args, kwargs)[0])
        value = MISSING if found is None else self._read(found)
        return None if value is MISSING else value

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute the value now, whatever is stored; others are served the old one meanwhile."""
        result: R = flight.run(self._steps(self._call(args, kwargs), anew=True))
        return result

    def forget(self, *args: Any, **kwargs: Any) -> None:
        """Delete the value for these arguments, or without arguments all values of this function. Deleting is final."""
        if args or kwargs or not self._signature.parameters:
            self.stash.store.delete(self._locate(args, kwargs)[0])
        else:
            self.stash.store.forget_tag(self.tags[0])

    def info(self) -> MemoInfo:
        """Return how the function has done."""
        entries = self.stash.store.list(kind="memo", tag=self.tags[0])
        count = self.counters
        return MemoInfo(count.hits, count.misses, count.waits, count.seconds_saved, len(entries), sum(entry.size for entry in entries))

    # Finding

    def _value(self, call: Call) -> Any:
        value, held = self._hit(call)
        return flight.run(self._steps(call, held=held)) if value is MISSING else value

    def _hit(self, call: Call) -> tuple[Any, Flight | None]:
        """The stored value if it is fresh, or stale while another refreshes it; else MISSING, perhaps with the flight to do so."""
        found = self._find(call.key)
        if found is None:
            return MISSING, None
        if found.entry.facts.fresh_until <= self.stash.clock():
            held = self._join_at_once(call)
            if held is not None:
                return MISSING, held
        return self._count_hit(found), None

    def _find(self, key: bytes) -> Found | None:
        """Read an entry; None also while the store is out of reach."""
        try:
            return self.stash.store.read(key)
        except StoreUnavailable as error:
            self.stash.warn(error)
            return None

    def _count_hit(self, found: Found) -> Any:
        self.counters.hits += 1
        self.counters.seconds_saved += found.entry.facts.took
        return self._read(found)

    def _read(self, found: Found) -> Any:
        """The stored value; MISSING if this program no longer has what it is made of."""
        try:
            return decode(found.encoded, references=self.stash.references)
        except Unreadable as error:
            _log.warning("a stored value of %s() is computed again: %s", self.name, error)
            return MISSING

    def _join_at_once(self, call: Call) -> Flight | None:
        """The flight to refresh a stale value, None while another has it."""
        try:
            joined = self.stash.store.join(call.key, wait=False)
        except StoreUnavailable as error:
            self.stash.warn(error)
            return None
        return None if isinstance(joined, Landed) else joined

    def _is_stored(self, call: Call) -> bool:
        found = self._find(call.key)
        return found is not None and found.entry.facts.fresh_until > self.stash.clock()

    def _steps(self, call: Call, *, held: Flight | None = None, anew: bool = False) -> flight.Steps:
        return flight.obtain(self.stash.store, call, self.stash.flight_key, self.stash.warn, held=held, anew=anew)

    # References

    def _mint(self, call: Call) -> Ref[Any]:
        self._write_recipe(call)
        return self.stash.references.mint(Target(call.key, is_memo=True), share=self.options.share)

    def _write_recipe(self, call: Call) -> None:
        """Store how to compute the value again, so that a reference outlives it."""
        key = recipe_key(call.key)
        if self.stash.store.read(key) is not None:
            return
        try:
            encoded = encode((self.id, [*map(_packed, call.args)], {name: _packed(value) for name, value in call.kwargs.items()}))
        except Unstorable:
            return  # an ignored argument that cannot be stored: the reference then lives as long as the value
        self.stash.store.commit(None, key, Facts("recipe", self.name, self.stash.clock(), scope=call.owner), encoded)

    def reopen(self, key: bytes, args: list[Any], kwargs: dict[str, Any], owner: str) -> Any:
        """Return the value of a recipe, or MISSING if it is another's: functions made in one place may close over other values."""
        opened = tuple(self._unpacked(value) for value in args)
        named = {name: self._unpacked(value) for name, value in kwargs.items()}
        own = self._key_of(opened, named)
        if key != (keys.digest(own, owner.encode()) if owner else own):
            return MISSING
        return self._value(Call(self, key, opened, named, owner))

    def _unpacked(self, value: Any) -> Any:
        return self.stash.references.open(value.text, f"an argument of {self.name}()") if isinstance(value, _PackedRef) else value

    # Keys

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        key, owner = self._locate(args, kwargs)
        return Call(self, key, args, kwargs, owner)

    def _locate(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bytes, str]:
        """The key of a call, and whose its value is. Plain arguments are remembered as they were spelled."""
        if kwargs or not self._remembers:
            return self._spell(args, kwargs)
        spelling = args, tuple(map(type, args))
        try:
            return self._spellings[spelling]
        except (KeyError, TypeError):  # not called so before, or an argument that cannot be hashed
            located = self._spell(args, kwargs)
        if _PLAIN.issuperset(spelling[1]) and sum(len(text) for text in args if isinstance(text, str | bytes)) < _LONGEST_SPELLING:
            if len(self._spellings) >= _SPELLINGS:
                self._spellings.clear()
            self._spellings[spelling] = located
        return located

    def _spell(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bytes, str]:
        key = self._key_of(args, kwargs)
        if self.options.scope == "app":
            return key, APP
        owner = self.stash.visits.owner(self.options.scope, f"{self.name}()")
        return keys.digest(key, owner.encode()), owner

    def _key_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        parts = [self.id]
        for name, value in identity.captured(self.function).items():
            if name not in self.options.ignore:
                parts += name.encode(), self._part(identity.of_captured, name, value)
        for name, value in bound.arguments.items():
            if name not in self.options.ignore:
                parts += name.encode(), self._part(keys.of_value, name, value)
        return keys.digest(*parts)

    def _part(self, key_of: Callable[[object, str], bytes], name: str, value: object) -> bytes:
        try:
            return key_of(value, name)
        except keys.NoKey as error:
            raise UnhashableArgument(self.name, name, error.path, error.kind) from None


class _Bound:
    """A memo function as a method of one object."""

    def __init__(self, memo: Memo[Any, Any], instance: object) -> None:
        self._memo, self._instance = memo, instance

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._memo(self._instance, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._memo, name)
        return functools.partial(found, self._instance) if name in ("ref", "peek", "refresh") else found

    def forget(self, *args: Any, **kwargs: Any) -> None:
        self._memo.forget(*((self._instance, *args) if args or kwargs else ()), **kwargs)


class AsyncMemo(Memo[P, Coroutine[Any, Any, R]]):
    """A memo function that is `async def`: the same, awaited; neither a computation nor a wait blocks the event loop."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the value for these arguments: stored, or computed now (errors as of a synchronous function)."""
        call = self._call(args, kwargs)
        value, held = await flight.off_loop(functools.partial(self._hit, call))
        if value is MISSING:
            value = await flight.run_async(self._steps(call, held=held))
        result: R = value
        return result

    async def ref(self, *args: P.args, **kwargs: P.kwargs) -> Ref[R]:  # type: ignore[override]
        """Return a reference to the value, which is computed now if it is not stored."""
        call = self._call(args, kwargs)
        ref: Ref[R] = await flight.off_loop(functools.partial(self._mint, call))
        if not await flight.off_loop(functools.partial(self._is_stored, call)):
            await flight.run_async(self._steps(call))
        return ref

    def peek(self, *args: P.args, **kwargs: P.kwargs) -> R | None:  # type: ignore[override]
        """Return the stored value, be it stale, or None; never compute, so there is nothing to await."""
        value: Any = super().peek(*args, **kwargs)
        stored: R | None = value
        return stored

    async def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute the value now, whatever is stored."""
        result: R = await flight.run_async(self._steps(self._call(args, kwargs), anew=True))
        return result


@dataclass(frozen=True, slots=True)
class _PackedRef:
    """A reference among the arguments of a recipe: pickled it would become text."""

    text: str


def _packed(value: Any) -> Any:
    return _PackedRef(str(value)) if isinstance(value, Ref) else value


def recipe_key(key: bytes) -> bytes:
    """The key under which it is stored how to compute the value of *key*."""
    return keys.digest(b"recipe", key)


def _check_parameters(name: str, signature: inspect.Signature, around: Container[str], ignore: frozenset[str]) -> None:
    unknown = [ignored for ignored in sorted(ignore) if ignored not in signature.parameters and ignored not in around]
    if unknown:
        raise ConfigError(f"@stash.memo(ignore=...): {name}() has no parameter {', '.join(map(repr, unknown))}")
    first = next(iter(signature.parameters), "")
    is_method = "." in name.rpartition("<locals>.")[2] and first in ("self", "cls")
    if is_method and first not in ignore:
        raise ConfigError(
            f"{name}() is a method, and an object is no key. If the result does not depend on the object, write "
            f"@stash.memo(ignore={first!r}); else make it a function that takes what it needs as arguments."
        )
