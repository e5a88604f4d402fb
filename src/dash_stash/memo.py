"""Memo functions: everybody who shares the store computes each argument set only once."""

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
    """Counts of a memo function: the calls of this process, and the values that are stored."""

    hits: int
    misses: int
    waits: int
    """Calls that waited for a value that another caller was computing."""

    seconds_saved: float
    entries: int
    bytes: int


class Memo(Generic[P, R]):
    """A function that runs once per argument set.

    Each call returns a private copy of the value.
    """

    def __init__(self, cache: FunctionCache) -> None:
        """Made by `@stash.memo`."""
        functools.update_wrapper(self, cache.function)
        self._cache = cache
        self._dash_stash_id = cache.id  # for the keys of functions that use it (`callables.label`)

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Pickle by name, like any function.

        A function of the main script is pickled under the name that others import it by.
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
        """Return the memo function as a method of *instance*, which its keys ignore."""
        return self if instance is None else _BoundMemo(self, instance)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the value for these arguments: stored, or computed now.

        Raises:
            UnhashableArgument: No key can be made from an argument.
            Unstorable: The function returned something that cannot be pickled.
            NoSession: The function's scope is a user, session, tab or page, and there is none here.
        """
        cache = self._cache
        key, owner = cache.locate(args, kwargs)
        # Nearly every call ends here, within 2 or 3 microseconds: `Facts.is_fresh` is inlined.
        found = cache.find(key)
        value = MISSING
        if found is not None and found.entry.facts.fresh_until > cache.deployment.clock():
            value = cache.hit(found)
        result: R = (
            cache.value_of(Call(cache, key, args, kwargs, owner)) if value is MISSING else value
        )
        return result

    def ref(self, *args: P.args, **kwargs: P.kwargs) -> Ref[R]:
        """Return a reference to the value; compute the value first if it is not stored.

        If the value is evicted or expires, opening the reference computes it again.

        Raises:
            NoSession: There is no request, and the function is not `@stash.memo(share=True)`.
            StoreUnavailable: The store is full or out of reach, so the reference would not open.
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
        """Return the stored value, even a stale one, or *default* if there is none; never compute.

        If the function has a parameter `default` itself, `default=` is passed to the function, and
        `peek` returns None if there is no value.
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
        """Compute the value now, even if one is stored; others get the old value meanwhile."""
        cache = self._cache
        result: R = flight.run(cache.steps(cache.call(args, kwargs), anew=True))
        return result

    @patiently()
    def forget(self, *args: Any, **kwargs: Any) -> None:
        """Delete the value for these arguments; without arguments, all values of this function.

        A deleted value stays deleted: a computation that began earlier does not store its result.
        """
        cache = self._cache
        if args or kwargs or not cache.signature.parameters:
            cache.deployment.store.delete(cache.locate(args, kwargs)[0])
        else:
            cache.deployment.store.forget_tag(cache.tags[0])

    def info(self) -> MemoInfo:
        """Return counts of this process's calls, and of the values that are stored."""
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
    """A memo function that is `async def`: works like `Memo`, but its calls are awaited.

    No computation and no wait blocks the event loop.
    """

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(
        self: AsyncMemo[Concatenate[Any, Q], R], instance: object, owner: type | None = None
    ) -> AsyncMemo[Q, R]: ...
    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Return the memo function as a method of *instance*, which its keys ignore."""
        return super().__get__(instance, owner)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the value for these arguments: stored, or computed now.

        It raises the same errors as `Memo.__call__`.
        """
        cache = self._cache
        call = cache.call(args, kwargs)
        value, held = await flight.off_loop(functools.partial(cache.look_up, call))
        if value is MISSING:
            value = await flight.run_async(cache.steps(call, held=held))
        result: R = value
        return result

    async def ref(self, *args: P.args, **kwargs: P.kwargs) -> Ref[R]:  # type: ignore[override]
        """Return a reference to the value; compute the value first if it is not stored."""
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
        """Return the stored value, even a stale one, or *default* if there is none.

        It never computes, so there is nothing to await. If the function has a parameter `default`
        itself, `default=` is passed to the function.
        """
        return self._peek(args, kwargs)

    async def refresh(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Compute the value now, even if one is stored; others get the old value meanwhile."""
        cache = self._cache
        result: R = await flight.run_async(cache.steps(cache.call(args, kwargs), anew=True))
        return result
