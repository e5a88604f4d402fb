"""Memo functions: computed once per argument set, over all threads, processes and machines that share the store."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextvars import Context
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from dash_stash import flight, identity, implementation, mistakes, modules, recipe
from dash_stash.codec import Unreadable, decode, encode, own
from dash_stash.entries import Facts
from dash_stash.errors import ConfigError, StoreUnavailable, Unstorable
from dash_stash.flight import MISSING, Save
from dash_stash.recipe import Recipe
from dash_stash.ref import Ref, target_of
from dash_stash.signature import Options, Signature
from dash_stash.stores.base import Flight, Found, Landed, patiently, read_patiently

if TYPE_CHECKING:
    from dash_stash.stash import Stash

_log = logging.getLogger("dash_stash")

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")


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

    def __init__(
        self,
        memo: Memo[Any, Any],
        key: bytes,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        owner: str,
    ) -> None:
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
        """Call the function, where it can see nothing that not all who will get the value may see."""
        self._memo.counters.misses += 1
        self._memo.tell_unseen()
        with contextlib.ExitStack() as around:
            context = around.enter_context(
                self._memo.stash.visits.computing(self.name, self._memo.options.scope)
            )
            around.enter_context(self._explained())
            result = context.run(self._memo.function, *self.args, **self.kwargs)
            return (
                self._continued(result, context, around.pop_all())
                if inspect.iscoroutine(result)
                else result
            )

    async def _continued(
        self, coroutine: Coroutine[Any, Any, Any], context: Context, around: contextlib.ExitStack
    ) -> Any:
        with around:
            return await asyncio.create_task(coroutine, context=context)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Say why there is no request, if that is what the function fails for."""
        request = self._memo.stash.visits.request
        try:
            yield
        except Exception as error:
            if (
                self._memo.options.scope == "app"
                and request is not None
                and request.is_missed_by(error)
            ):
                error.add_note(
                    f"{self.name}() computes one value for everybody, so dash-stash hides the request from it: take what you need "
                    'from the request in the callback and pass it as an argument, or write @stash.memo(scope="session").'
                )
            raise

    def copy(self, value: Any) -> Any:
        """Return a private copy of a value that could not be stored: the function may keep what it has returned."""
        return decode(own(encode(value)), references=self._memo.stash.references)

    def begin(self) -> Save:
        """Note what the value's tags are worth now, and return what stores it."""
        tags = self._memo.stash.store.epochs(self._memo.tags)

        def save(held: Flight | None, value: Any, took: float) -> None:
            stash, options = self._memo.stash, self._memo.options
            now = stash.clock()
            fresh_until = now + options.ttl
            facts = Facts(
                "memo",
                self.name,
                now,
                fresh_until,
                fresh_until + options.stale,
                self.owner,
                tags,
                took,
            )
            stash.store.commit(held, self.key, facts, encode(value))

        return save


class Memo(Generic[P, R]):
    """A function that is computed once per argument set.

    Calling it returns the value, a private copy for each caller.
    """

    name: str

    def __init__(self, stash: Stash, function: Callable[P, R], options: Options) -> None:
        """Made by `@stash.memo`.

        Raises:
            ConfigError: It is no plain function, it is a method whose `self` is not ignored, or an
                ignored name is no parameter.
        """
        if isinstance(function, Memo):
            raise ConfigError(
                f"{function.name}() is a memo function already: write @stash.memo once"
            )
        if not isinstance(function, FunctionType):
            raise ConfigError(f"@stash.memo takes a function, not {mistakes.described(function)}")
        mistakes.check_generator(function)
        functools.update_wrapper(self, function)
        self.stash, self.function, self.options = stash, function, options
        self.signature = Signature(function, options, stash.visits)
        self.id, self.name, self._locate = (
            self.signature.id,
            self.signature.name,
            self.signature.locate,
        )
        self.counters = Counters()
        self._has_told = False

    def tell_unseen(self) -> None:
        """Say once, in debug mode, what the function reads that is not in its key."""
        if self._has_told or not self.stash.is_debug:
            return
        self._has_told = True
        if unseen := implementation.unseen(self.function):
            _log.warning(
                "%s() reads what is not part of its key: %s. After a change of that, values computed before are served on: pass it as an "
                "argument, or say @stash.memo(version=...) and change the version.",
                self.name,
                "; ".join(unseen),
            )

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of its values: one of its own, and those that it was given."""
        return (
            f"function:{self.signature.function.hex()}",
            *(f"tag:{tag}" for tag in self.options.tags),
        )

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Be pickled by name, as any function.

        What a script defines, under the name by which others import it.
        """
        main = modules.main_name() if self.__module__ == "__main__" else None
        name = self.function.__qualname__
        return name if main is None else (identity.find, (main, name))

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(
        self: Memo[Concatenate[Any, Q], R], instance: object, owner: type | None = None
    ) -> Memo[Q, R]: ...
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
        result: R = (
            self.value_of(Call(self, key, args, kwargs, owner)) if value is MISSING else value
        )
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

    @patiently()
    def forget(self, *args: Any, **kwargs: Any) -> None:
        """Delete the value for these arguments, or without arguments all values of this function.

        Deleting is final.
        """
        if args or kwargs or not self.signature.parameters:
            self.stash.store.delete(self._locate(args, kwargs)[0])
        else:
            self.stash.store.forget_tag(self.tags[0])

    def info(self) -> MemoInfo:
        """Return how the function has done."""
        entries = self.stash.store.list(kind="memo", tag=self.tags[0])
        count = self.counters
        return MemoInfo(
            count.hits,
            count.misses,
            count.waits,
            count.seconds_saved,
            len(entries),
            sum(entry.size for entry in entries),
        )

    # Finding

    def value_of(self, call: Call) -> Any:
        """Return the value of a call: stored, or computed now."""
        value, held = self._hit(call)
        return flight.run(self._steps(call, held=held)) if value is MISSING else value

    def _hit(self, call: Call) -> tuple[Any, Flight | None]:
        """The stored value if it is fresh, or stale while another refreshes it.

        Else MISSING, perhaps with the flight to do so.
        """
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
        return flight.obtain(
            self.stash.store, call, self.stash.flight_key, self.stash.warn, held=held, anew=anew
        )

    # References

    def _mint(self, call: Call) -> Ref[Any]:
        self._write_recipe(call)
        target = target_of(
            call.key, self.options.scope, self.signature.made_of(call.args, call.kwargs)
        )
        return self.stash.references.mint(target, share=self.options.share)

    def _write_recipe(self, call: Call) -> None:
        """Store how to compute the value again, so that a reference outlives it."""
        key = recipe.key_of(call.key)
        if read_patiently(self.stash.store, key) is not None:
            return
        signature = self.signature
        made = Recipe(signature.captured, signature.given(call.args, call.kwargs))
        try:
            encoded = recipe.pack(made)
        except Unstorable:
            return  # the reference then lives as long as the value
        function = f"{signature.id.hex()} {signature.function.hex()}"
        facts = Facts("recipe", self.name, self.stash.clock(), scope=call.owner, function=function)
        with patiently():
            self.stash.store.commit(None, key, facts, encoded)

    def recall(self, made: Recipe) -> Call:
        """Return the call of a recipe, for the present visit.

        Raises:
            TypeError: The function needs an argument that is not in the recipe, or does not know
                one that is.
        """
        return self._call(*self.signature.spelled(made.arguments))

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        key, owner = self._locate(args, kwargs)
        return Call(self, key, args, kwargs, owner)


class _Bound:
    """A memo function as a method of one object."""

    def __init__(self, memo: Memo[Any, Any], instance: object) -> None:
        self._memo, self._instance = memo, instance

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._memo(self._instance, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._memo, name)
        return (
            functools.partial(found, self._instance)
            if name in ("ref", "peek", "refresh")
            else found
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._instance, self._memo.function.__name__)

    def forget(self, *args: Any, **kwargs: Any) -> None:
        self._memo.forget(*((self._instance, *args) if args or kwargs else ()), **kwargs)


class AsyncMemo(Memo[P, Coroutine[Any, Any, R]]):
    """A memo function that is `async def`: the same, awaited.

    Neither a computation nor a wait blocks the event loop.
    """

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(
        self: AsyncMemo[Concatenate[Any, Q], R], instance: object, owner: type | None = None
    ) -> AsyncMemo[Q, R]: ...
    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """As a method, be called with the instance, which is ignored."""
        return super().__get__(instance, owner)

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
        """Return the stored value, be it stale, or None.

        Never compute, so there is nothing to await.
        """
        value: Any = super().peek(*args, **kwargs)
        stored: R | None = value
        return stored

    async def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute the value now, whatever is stored."""
        result: R = await flight.run_async(self._steps(self._call(args, kwargs), anew=True))
        return result
