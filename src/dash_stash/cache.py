"""The cache of one memo function: how its calls find, compute and store their values."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextvars import Context
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeVar

from dash_stash import bytecode, flight, identity, implementation, mistakes, recipe
from dash_stash.codec import Unreadable, decode, encode, own
from dash_stash.deployment import Deployment
from dash_stash.entries import Facts
from dash_stash.errors import ConfigError, StoreUnavailable, Unstorable
from dash_stash.flight import MISSING, Save
from dash_stash.owner import Owner
from dash_stash.recipe import Recipe
from dash_stash.ref import Ref, target_of
from dash_stash.signature import MemoOptions, Signature
from dash_stash.stores.base import Flight, Found, Landed, patiently, read_patiently

_log = logging.getLogger("dash_stash")

AnyCall = TypeVar("AnyCall", bound="Call")


@dataclass(slots=True)
class Counters:
    """Calls of one function in this process."""

    hits: int = 0
    misses: int = 0
    waits: int = 0
    seconds_saved: float = 0.0


class Call:
    """One call of a memo function with one set of arguments: a `flight.Producer`."""

    def __init__(
        self,
        cache: FunctionCache,
        key: bytes,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        owner: Owner,
    ) -> None:
        """Take the function's cache, the call's key, the arguments, and the value's owner."""
        self.cache, self.key, self.args, self.kwargs, self.owner = cache, key, args, kwargs, owner
        self.name = cache.name

    def load(self, *, waited: bool = False) -> Any:
        """Return the stored value if it is fresh, else MISSING."""
        found = self.cache.find_fresh(self.key)
        value = MISSING if found is None else self.cache.read(found)
        self.cache.counters.waits += waited and value is not MISSING
        return value

    def compute(self) -> Any:
        """Call the function in a context where it can read nothing narrower than its scope."""
        cache = self.cache
        cache.counters.misses += 1
        cache.warn_of_unseen()
        with contextlib.ExitStack() as around:
            context = around.enter_context(
                cache.deployment.visitor.computing(self.name, cache.options.scope)
            )
            around.enter_context(self._explained())
            result = context.run(cache.function, *self.args, **self.kwargs)
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
        """Add a note to an error that the function raises because it cannot see the request."""
        request = self.cache.deployment.visitor.request
        try:
            yield
        except Exception as error:
            is_for_all = self.cache.options.scope == "app"
            if is_for_all and request is not None and request.is_missed_by(error):
                error.add_note(
                    f"{self.name}() computes one value for everybody, so dash-stash hides the "
                    "request from it: take what you need from the request in the callback and "
                    'pass it as an argument, or write @stash.memo(scope="session").'
                )
            raise

    def hand_out(self, value: Any, *, is_stored: bool) -> Any:
        """Return a private copy of a computed value: the function may keep what it returned."""
        stored = self.load() if is_stored else MISSING
        if stored is not MISSING:
            return stored
        # Not stored, forgotten meanwhile, or expired already.
        return decode(own(encode(value)), references=self.cache.deployment.references)

    def begin(self) -> Save:
        """Note the present epochs of the value's tags, and return a function to store the value."""
        cache, options = self.cache, self.cache.options
        tags = cache.deployment.store.epochs(cache.tags)

        def save(held: Flight | None, value: Any, took: float) -> None:
            now = cache.deployment.clock()
            until = now + options.ttl
            gone_at = until + options.stale
            facts = Facts("memo", self.name, now, until, gone_at, self.owner, tags, took)
            cache.deployment.store.commit(held, self.key, facts, encode(value))

        return save


class RefCall(Call):
    """A call that only needs a reference: its value is stored, but not unpickled."""

    def load(self, *, waited: bool = False) -> Any:
        """Return None if a fresh value is stored, else MISSING."""
        is_stored = self.cache.find_fresh(self.key) is not None
        self.cache.counters.waits += waited and is_stored
        return None if is_stored else MISSING

    def hand_out(self, value: Any, *, is_stored: bool) -> None:
        """Return None: the caller needs no value."""


class FunctionCache:
    """The stored values of one memo function."""

    def __init__(
        self, function: Callable[..., Any], options: MemoOptions, deployment: Deployment
    ) -> None:
        """Take the function, its options, and the deployment that stores its values.

        Raises:
            ConfigError: It is not a plain function, it is a method whose `self` is not ignored, or
                an ignored name is not one of its parameters.
        """
        if not isinstance(function, FunctionType):
            raise ConfigError(f"@stash.memo takes a function, not {mistakes.described(function)}")
        mistakes.check_generator(function)
        self.function, self.options, self.deployment = function, options, deployment
        self.signature = Signature(function, options, deployment.visitor)
        self.id, self.name = self.signature.id, self.signature.name
        self.locate = self.signature.locate
        self.counters = Counters()
        self._has_warned = False

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of the function's values: one for the function itself, and the user's tags."""
        own_tag = f"function:{self.signature.function.hex()}"
        return (own_tag, *(f"tag:{tag}" for tag in self.options.tags))

    def check_distinct(self, other: FunctionCache) -> None:
        """Check that *other*, which has the same id, belongs to the same function.

        Raises:
            ConfigError: It belongs to another function: the two would share their values.
        """
        files = identity.source_file(other.function), identity.source_file(self.function)
        codes = (bytecode.digest(one.function.__code__) for one in (other, self))
        if files[0] != files[1] and len(set(codes)) == 1:
            raise ConfigError(
                f"two functions are called {self.name} and have the same code, "
                f"in {files[0]} and {files[1]}: they would share their values. "
                "Give one of them a version=..."
            )

    def warn_of_unseen(self) -> None:
        """In debug mode, log once what the function reads that is not part of its key."""
        if self._has_warned or not self.deployment.is_debug:
            return
        self._has_warned = True
        if unseen := implementation.unseen(self.function):
            _log.warning(
                "%s() reads what is not part of its key: %s. When that changes, old values "
                "are still served: pass it as an argument, or write "
                "@stash.memo(version=...) and change the version.",
                self.name,
                "; ".join(unseen),
            )

    # Finding

    def find(self, key: bytes) -> Found | None:
        """Read an entry; None also while the store is out of reach."""
        try:
            return self.deployment.store.read(key)
        except StoreUnavailable as error:
            self.deployment.warn(error)
            return None

    def is_fresh(self, found: Found) -> bool:
        """Return whether the value that was found has not reached the end of its ttl."""
        return found.entry.facts.is_fresh(self.deployment.clock())

    def find_fresh(self, key: bytes) -> Found | None:
        """Read an entry; return None if there is none, or if it is stale."""
        found = self.find(key)
        return found if found is not None and self.is_fresh(found) else None

    def read(self, found: Found) -> Any:
        """Unpickle a stored value; return MISSING if this program lacks one of its classes."""
        try:
            return decode(found.encoded, references=self.deployment.references)
        except Unreadable as error:
            _log.warning("a stored value of %s() is computed again: %s", self.name, error)
            return MISSING

    def hit(self, found: Found) -> Any:
        """Unpickle a stored value as `read` does, and count it as a hit."""
        self.counters.hits += 1
        self.counters.seconds_saved += found.entry.facts.took
        return self.read(found)

    # Computing

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """Return the call of the function with these arguments."""
        return self._called(Call, args, kwargs)

    def ref_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> RefCall:
        """Return such a call that only needs a reference."""
        return self._called(RefCall, args, kwargs)

    def _called(
        self, kind: type[AnyCall], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> AnyCall:
        key, owner = self.locate(args, kwargs)
        return kind(self, key, args, kwargs, owner)

    def value_of(self, call: Call) -> Any:
        """Return the value of a call: stored, or computed now."""
        value, held = self.look_up(call)
        return flight.run(self.steps(call, held=held)) if value is MISSING else value

    def look_up(self, call: Call) -> tuple[Any, Flight | None]:
        """Return the value if it is fresh, or if it is stale and another caller refreshes it.

        Otherwise return MISSING, with the flight to refresh a stale value.
        """
        found = self.find(call.key)
        if found is None:
            return MISSING, None
        if not self.is_fresh(found):
            held = self._join_at_once(call)
            if held is not None:
                return MISSING, held
        return self.hit(found), None

    def _join_at_once(self, call: Call) -> Flight | None:
        """Get the right to compute the call's value, or None while another caller has it."""
        try:
            joined = self.deployment.store.join(call.key, wait=False)
        except StoreUnavailable as error:
            self.deployment.warn(error)
            return None
        return None if isinstance(joined, Landed) else joined

    def steps(self, call: Call, *, held: Flight | None = None, anew: bool = False) -> flight.Steps:
        """Return the steps to the call's value, as `flight.obtain` has them."""
        deployment = self.deployment
        return flight.obtain(
            deployment.store, call, deployment.flight_key, deployment.warn, held=held, anew=anew
        )

    # References

    def refer(self, call: RefCall) -> tuple[Ref[Any], flight.Steps | None, Flight | None]:
        """Return a reference to the value of a call, and the steps that are needed to store that.

        The steps are None if it is stored. The flight that they hold, if they hold one, comes with
        them, so that somebody who does not run them can close it.
        """
        is_new = self._write_recipe(call)
        target = target_of(
            call.key, self.options.scope, self.signature.made_of(call.args, call.kwargs)
        )
        ref = self.deployment.references.mint(target, share=self.options.share)
        # A value whose recipe is new is most likely not stored. Joining before the look at it saves
        # a second look: nobody else can store it in between.
        held = self._join_at_once(call) if is_new else None
        if self.find_fresh(call.key) is None:
            return ref, self.steps(call, held=held, anew=held is not None), held
        if held is not None:
            held.land()
        return ref, None, None

    def _write_recipe(self, call: Call) -> bool:
        """Store how to compute the value again; False if that is stored, or cannot be."""
        deployment, signature = self.deployment, self.signature
        key = recipe.key_of(call.key)
        if read_patiently(deployment.store, key) is not None:
            return False
        made = Recipe(signature.captured, signature.given(call.args, call.kwargs))
        try:
            encoded = recipe.pack(made)
        except Unstorable:
            return False  # the reference then lives as long as the value
        function = f"{signature.id.hex()} {signature.function.hex()}"
        facts = Facts("recipe", self.name, deployment.clock(), owner=call.owner, function=function)
        with patiently():
            deployment.store.commit(None, key, facts, encoded)
        return True

    def recall(self, made: Recipe) -> Call:
        """Return the call of a recipe, for the present visit.

        Raises:
            TypeError: The function needs an argument that is not in the recipe, or does not know
                one that is.
        """
        return self.call(*self.signature.spelled(made.arguments))
