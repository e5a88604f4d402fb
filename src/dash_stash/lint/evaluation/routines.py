"""Follows calls of the program's functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from dash_stash.lint.effects.invocation import Invocation
from dash_stash.lint.effects.recorder import Recorder
from dash_stash.lint.effects.summary import Effect, Site
from dash_stash.lint.evaluation.knowledge import Knowledge
from dash_stash.lint.source.definitions import Function
from dash_stash.lint.values.environment import Environment
from dash_stash.lint.values.value import UNKNOWN, Root, Routine, Sort, Value


@dataclass
class Passed:
    """What a call passes."""

    positional: list[Value]
    named: dict[str, Value]

    @property
    def all(self) -> list[Value]:
        """All of them."""
        return [*self.positional, *self.named.values()]

    def __getitem__(self, position: int) -> Value:
        return self.positional[position] if position < len(self.positional) else UNKNOWN


class Routines:
    """The program's functions, as the function that is followed calls them."""

    def __init__(self, knowledge: Knowledge, environment: Environment, recorder: Recorder) -> None:
        """Note the calls that the owner of *environment* makes in *recorder*."""
        self._knowledge, self._environment = knowledge, environment
        self._recorder = recorder

    def call(
        self, routine: Routine, positional: list[Value], named: dict[str, Value], node: ast.AST
    ) -> Value:
        """Follow a call, and return what it returns."""
        function = routine.function
        given = _bound(function, [*routine.bound, *positional], {**dict(routine.named), **named})
        self._knowledge.note_arguments(function, given)
        invocation = Invocation(routine, given, self._environment)
        summary = self._knowledge.summary(function)
        site = Site.of(self._environment.module, node)
        effects = invocation.effects(list(summary.effects.values()), site)
        self._recorder.note_call(function, site, effects)
        if function.wrappers:
            self._recorder.note_call(function, site, self._of_wrappers(function, site))
        if function.memo:
            roots = {Root(Sort.CACHED, function.name, function)}
            lasting = frozenset(roots if function.memo == "lasting" else ())
            return Value(lasting, frozenset(), summary.returned.kind)
        return invocation.result(summary.returned)

    def _of_wrappers(self, function: Function, site: Site) -> Iterator[Effect]:
        """Return the effects of the functions that decorators put around *function*."""
        for wrapper in function.wrappers:
            effects = list(self._knowledge.summary(wrapper).effects.values())
            routine = Routine(wrapper, lasting=True)
            yield from Invocation(routine, {}, self._environment).effects(effects, site)

    def call_passed(self, given: Passed, node: ast.AST) -> None:
        """Assume that functions that are passed to something unknown are called."""
        for place, value in enumerate(given.positional):
            if isinstance(value.kind, Routine):
                self.call(value.kind, given.positional[place + 1 :], {}, node)
        for value in given.named.values():
            if isinstance(value.kind, Routine):
                self.call(value.kind, [], {}, node)

    def wrap(self, routine: Routine, decorator: Routine, node: ast.AST) -> None:
        """Remember the function that a decorator of the program puts around another."""
        wrapper = self.call(decorator, [Value(kind=routine)], {}, node).kind
        known = [routine.function, *routine.function.wrappers]
        if (
            isinstance(wrapper, Routine)
            and wrapper.function.outer is not None
            and wrapper.function not in known
        ):
            routine.function.wrappers.append(wrapper.function)


def _bound(
    function: Function, positional: list[Value], named: dict[str, Value]
) -> dict[str, Value]:
    """Return what each parameter is given."""
    arguments = function.node.args
    places = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    bound = dict(zip(places, positional, strict=False))
    known = {*places, *(argument.arg for argument in arguments.kwonlyargs)}
    bound |= {name: value for name, value in named.items() if name in known}
    if arguments.vararg:
        bound[arguments.vararg.arg] = _containing(positional[len(places) :])
    if arguments.kwarg:
        rest = [value for name, value in named.items() if name not in known]
        bound[arguments.kwarg.arg] = _containing(rest)
    return bound


def _containing(values: list[Value]) -> Value:
    """Return a new object that contains all the values."""
    return Value(inner=frozenset().union(*(value.held for value in values)))
