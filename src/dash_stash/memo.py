"""Memo functions: computed once per argument set by all who share the store."""

from __future__ import annotations

import functools
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from dash_stash import flight, identity, modules
from dash_stash.cache import Call, FunctionCache
from dash_stash.flight import MISSING
from dash_stash.ref import Ref
from dash_stash.stores.base import patiently

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class MemoInfo:
    """How a memo function has done: calls of this process, and what is stored of it for all."""

    hits: int
    misses: int
    waits: int
    """Calls that found nothing and got what another computed meanwhile."""

    seconds_saved: float
    entries: int
    bytes: int


class Memo(Generic[P, R]):
    """A function that is computed once per argument set.

    Calling it returns the value, a private copy for each caller.
    """

    def __init__(self, cache: FunctionCache) -> None:
        """Made by `@stash.memo`."""
        functools.update_wrapper(self, cache.function)
        self._cache = cache
        self._dash_stash_id = cache.id  # for the keys of functions that use it (`walk.label`)

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Be pickled by name, as any function.

        What a script defines is pickled under the name by which others import it.
        """
        main = modules.main_name() if self.__module__ == "__main__" else None
        name = self._cache.function.__qualname__
        return name if main is None else (identity.find, (main, name))

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(
        self: Memo[Concatenate[Any, Q], R], instance: object, owner: type | None = None
    ) -> Memo[Q, R]: ...
    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """As a method, be called with the instance, which is ignored."""
        return self if instance is None else _BoundMemo(self, instance)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the value for these arguments: stored, or computed now.

        Raises:
            UnhashableArgument: An argument has no value to make a key of.
            Unstorable: The function returned something that cannot be pickled.
            NoSession: The function's scope is the session or page, and there is none here.
        """
        cache = self._cache
        key, owner = cache.locate(args, kwargs)
        # Nearly every call ends here, within two or three microseconds: `is_fresh` stands inline.
        found = cache.find(key)
        value = MISSING
        if found is not None and found.entry.facts.fresh_until > cache.deployment.clock():
            value = cache.hit(found)
        result: R = (
            cache.value_of(Call(cache, key, args, kwargs, owner)) if value is MISSING else value
        )
        return result

    def ref(self, *args: P.args, **kwargs: P.kwargs) -> Ref[R]:
        """Return a reference to the value, which is computed now if it is not stored.

        Should the value be evicted or expire, opening the reference computes it again.

        Raises:
            NoSession: Outside a request, unless the function is `@stash.memo(share=True)`.
            StoreUnavailable: How to compute the value cannot be stored now.
        """
        ref, steps, _ = self._cache.refer(self._cache.ref_call(args, kwargs))
        if steps is not None:
            flight.run(steps)
        return ref

    @overload
    def peek(self, *args: P.args, **kwargs: P.kwargs) -> R | None: ...
    @overload
    def peek(self, *args: Any, default: D, **kwargs: Any) -> R | D: ...
    def peek(self, *args: Any, **kwargs: Any) -> Any:
        """Return the stored value, be it stale, or *default* (None) without one; never compute.

        If the function itself can be called with `default=`, that is its own argument here too, and
        `peek` returns None without a value.
        """
        return self._peek(args, kwargs)

    def _peek(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        cache = self._cache
        default = None
        if "default" in kwargs and not cache.signature.takes("default"):
            default = kwargs.pop("default")
        found = cache.find(cache.locate(args, kwargs)[0])
        value = MISSING if found is None else cache.read(found)
        return default if value is MISSING else value

    def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute the value now, whatever is stored; others are served the old one meanwhile."""
        cache = self._cache
        result: R = flight.run(cache.steps(cache.call(args, kwargs), anew=True))
        return result

    @patiently()
    def forget(self, *args: Any, **kwargs: Any) -> None:
        """Delete the value for these arguments, or without arguments all values of this function.

        A deleted value stays deleted: computations that have begun before do not store theirs.
        """
        cache = self._cache
        if args or kwargs or not cache.signature.parameters:
            cache.deployment.store.delete(cache.locate(args, kwargs)[0])
        else:
            cache.deployment.store.forget_tag(cache.tags[0])

    def info(self) -> MemoInfo:
        """Return how the function has done."""
        cache, count = self._cache, self._cache.counters
        entries = cache.deployment.store.list(kind="memo", tag=cache.tags[0])
        size = sum(entry.size for entry in entries)
        counted = count.hits, count.misses, count.waits, count.seconds_saved
        return MemoInfo(*counted, len(entries), size)


class _BoundMemo:
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
        return getattr, (self._instance, self._memo._cache.function.__name__)

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
        """Return the value for these arguments: stored, or computed now.

        It raises what a synchronous memo function raises.
        """
        cache = self._cache
        call = cache.call(args, kwargs)
        value, held = await flight.off_loop(functools.partial(cache.look_up, call))
        if value is MISSING:
            value = await flight.run_async(cache.steps(call, held=held))
        result: R = value
        return result

    async def ref(self, *args: P.args, **kwargs: P.kwargs) -> Ref[R]:  # type: ignore[override]
        """Return a reference to the value, which is computed now if it is not stored."""
        call = self._cache.ref_call(args, kwargs)
        ref: Ref[R]
        ref, steps, _ = await flight.off_loop(functools.partial(self._cache.refer, call))
        if steps is not None:
            await flight.run_async(steps)
        return ref

    @overload  # type: ignore[override]
    def peek(self, *args: P.args, **kwargs: P.kwargs) -> R | None: ...
    @overload
    def peek(self, *args: Any, default: D, **kwargs: Any) -> R | D: ...
    def peek(self, *args: Any, **kwargs: Any) -> Any:
        """Return the stored value, be it stale, or *default* (None) without one.

        It never computes, so there is nothing to await. A parameter of the function that is called
        `default` is the function's own here too.
        """
        return self._peek(args, kwargs)

    async def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute the value now, whatever is stored."""
        cache = self._cache
        result: R = await flight.run_async(cache.steps(cache.call(args, kwargs), anew=True))
        return result
