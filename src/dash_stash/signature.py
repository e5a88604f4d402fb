"""The options of a memo function, and the keys of its calls."""

from __future__ import annotations

import functools
import inspect
from collections import OrderedDict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from dash_stash import identity, implementation, keys, mistakes
from dash_stash.clock import Duration, seconds
from dash_stash.errors import ConfigError, UnhashableArgument
from dash_stash.owner import APP, Owner, Scope, check_scope
from dash_stash.visitor import CurrentVisitor

# Arguments of these types, compared with their types, are equal exactly if their keys are.
_PLAIN = frozenset({str, int, bool, bytes, type(None)})
_SPELLINGS = 4096
_LONGEST_SPELLING = 1024


@dataclass(frozen=True, slots=True)
class MemoOptions:
    """The options of `@stash.memo(...)`; times are in seconds."""

    ttl: float
    stale: float
    scope: Scope
    tags: tuple[str, ...]
    version: object
    ignore: frozenset[str]
    share: bool

    @classmethod
    def checked(
        cls,
        *,
        ttl: Duration | None,
        stale: Duration | None,
        scope: Scope,
        tags: Iterable[str],
        version: object,
        ignore: str | Iterable[str],
        share: bool,
    ) -> MemoOptions:
        """Check the options as the user wrote them, and convert times to seconds.

        Raises:
            ConfigError: An option cannot be used, or two options contradict each other.
        """
        check_scope(scope)
        if isinstance(tags, str):
            raise ConfigError(f"tags={tags!r} would be one tag per letter: write tags=({tags!r},)")
        tags = tuple(tags) if isinstance(tags, Iterator) else tags
        mistakes.check_names("tags", tags, 'texts, as in tags=("sales",)')
        mistakes.check_names("ignore", ignore, "the name of a parameter, or several")
        if stale is not None and ttl is None:
            raise ConfigError(
                f"stale={stale!r} is how much longer a value is served after its ttl: give ttl= too"
            )
        if share and scope != "app":
            raise ConfigError(
                f"share=True opens values for everybody, but scope={scope!r} separates them: "
                "choose one of the two"
            )
        until = float("inf") if ttl is None else seconds(ttl, "ttl")
        longer = 0.0 if stale is None else seconds(stale, "stale")
        ignored = frozenset([ignore] if isinstance(ignore, str) else ignore)
        return cls(until, longer, scope, tuple(tags), version, ignored, share)


class Signature:
    """Makes the keys of a function's calls.

    A key is made from the function, the variables that it closes over, the arguments, and the
    owner.
    """

    def __init__(
        self, function: FunctionType, options: MemoOptions, visitor: CurrentVisitor
    ) -> None:
        """Take the function, its options, and the visitor, who can own a value.

        Raises:
            ConfigError: The function is a method and does not ignore `self`, an ignored name is not
                a parameter, or the version is not plain data.
        """
        self.name = f"{identity.module_name(function)}.{function.__qualname__}"
        self._function, self._options, self._visitor = function, options, visitor
        self._signature = inspect.signature(function)
        self.parameters = self._signature.parameters
        free = function.__code__.co_freevars
        _check_parameters(self.name, self._signature, free, options.ignore)
        version = b"" if options.version is None else _key_of_version(self.name, options.version)
        self.id = keys.digest(identity.of_function(function), version, options.scope.encode())
        """The function's id in references: editing the function's code does not change it."""
        self._spellings: dict[Any, tuple[bytes, Owner]] = {}
        self._settled: bytes | None = None
        self._of_argument = functools.partial(
            keys.of_value, code_of=implementation.of_classes(function)
        )
        # With a closure, or for a session, equal arguments may have another key later.
        self._remembers = options.scope == "app" and options.ignore.issuperset(free)

    @property
    def function(self) -> bytes:
        """The key of the function with its present code."""
        if self._settled is not None:
            return self._settled
        # Asked before the digest: another thread may be importing what the function needs.
        is_settled = self._is_settled
        key = keys.digest(self.id, implementation.of_function(self._function, self._options.ignore))
        if is_settled:
            self._settled = key
        return key

    @property
    def _is_settled(self) -> bool:
        return self._settled is not None or implementation.is_settled(
            self._function, self._options.ignore
        )

    @property
    def captured(self) -> bytes:
        """The key of the variables that the function closes over, with their present values."""
        return self._digest(identity.of_captured, self._taken())

    def _taken(self) -> dict[str, object]:
        taken = identity.captured(self._function).items()
        return {name: value for name, value in taken if name not in self._options.ignore}

    def locate(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bytes, Owner]:
        """Return the key of a call, and the owner of its value.

        The keys of short, plain arguments are remembered.

        Raises:
            UnhashableArgument: No key can be made from an argument, or from a variable that the
                function closes over.
            NoSession: The function's scope is not the app, and there is no session, tab, page or
                user.
            ScopeTooWide: A memo function with a wider scope makes the call.
        """
        if kwargs or not self._remembers:
            return self._spell(args, kwargs)
        spelling = args, tuple(map(type, args))
        try:
            return self._spellings[spelling]
        except (KeyError, TypeError):  # a new spelling, or an argument that cannot be hashed
            is_settled = self._is_settled  # asked before, as in `function`
            located = self._spell(args, kwargs)
        if is_settled and _is_short_and_plain(args):
            if len(self._spellings) >= _SPELLINGS:
                self._spellings.clear()
            self._spellings[spelling] = located
        return located

    def _spell(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bytes, Owner]:
        key = self._key_of(args, kwargs)
        if self._options.scope == "app":
            return key, APP
        owner = self._visitor.owner(self._options.scope, f"{self.name}()")
        return keys.digest(key, owner.encode()), owner

    def _key_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:  # it does not name the function
            raise TypeError(f"{self.name}(): {error}") from None
        bound.apply_defaults()
        return keys.digest(
            self.function,
            self.captured,
            self._digest(self._of_argument, self._without_ignored(bound)),
        )

    def given(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by the names of their parameters.

        Ignored arguments are left out, and so are defaults that the caller did not pass.
        """
        return self._without_ignored(self._signature.bind(*args, **kwargs))

    def made_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[object]:
        """Return what a call may depend on: its arguments, and what the function closes over."""
        return [*args, *kwargs.values(), *self._taken().values()]

    def spelled(self, given: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Turn the result of `given` back into the arguments of a call.

        Raises:
            TypeError: A parameter of the function has no argument, or an argument no parameter.
        """
        unknown = given.keys() - self.parameters.keys()
        if unknown:
            raise TypeError(f"it has no parameter {', '.join(sorted(unknown))} any more")
        bound = inspect.BoundArguments(self._signature, OrderedDict(given))
        self._signature.bind(*bound.args, **bound.kwargs)
        return bound.args, bound.kwargs

    def takes(self, name: str) -> bool:
        """Return whether a call can pass `name=...`."""
        parameters = self.parameters
        has_any = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
        by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return has_any or (name in parameters and parameters[name].kind in by_name)

    def _without_ignored(self, bound: inspect.BoundArguments) -> dict[str, Any]:
        return {
            name: value
            for name, value in bound.arguments.items()
            if name not in self._options.ignore
        }

    def _digest(self, key_of: Callable[[object, str], bytes], named: Mapping[str, Any]) -> bytes:
        parts: list[bytes] = []
        for name, value in named.items():
            try:
                parts += name.encode(), key_of(value, name)
            except keys.NoKey as error:
                raise UnhashableArgument(self.name, name, error.path, error.kind) from None
        return keys.digest(*parts)


def _is_short_and_plain(args: tuple[Any, ...]) -> bool:
    length = sum(len(text) for text in args if isinstance(text, str | bytes))
    return _PLAIN.issuperset(map(type, args)) and length < _LONGEST_SPELLING


def _key_of_version(name: str, version: object) -> bytes:
    try:
        return keys.of_value(version, "version")
    except keys.NoKey as error:
        raise ConfigError(
            f"{name}(): {error.path}= is a {error.kind}; use plain data, as in version=2"
        ) from None


def _check_parameters(
    name: str, signature: inspect.Signature, around: Container[str], ignore: frozenset[str]
) -> None:
    unknown = [
        ignored
        for ignored in sorted(ignore)
        if ignored not in signature.parameters and ignored not in around
    ]
    if unknown:
        raise ConfigError(
            f"@stash.memo(ignore=...): {name}() has no parameter {', '.join(map(repr, unknown))}"
        )
    first = next(iter(signature.parameters), "")
    is_method = "." in name.rpartition("<locals>.")[2] and first in ("self", "cls")
    if is_method and first not in ignore:
        raise ConfigError(
            f"{name}() is a method, and no key can be made from its object. If the result does not "
            f"depend on the object, write @stash.memo(ignore={first!r}); otherwise make it a "
            "function that takes what it needs as arguments."
        )
