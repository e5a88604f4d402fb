"""Follows a program from the functions that Dash calls, through all that they call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from dash_stash.lint.effects.recorder import Recorder
from dash_stash.lint.effects.summary import Summary
from dash_stash.lint.evaluation.classes import Classes
from dash_stash.lint.evaluation.expressions import Evaluator
from dash_stash.lint.evaluation.parameters import parameters
from dash_stash.lint.evaluation.statements import Statements
from dash_stash.lint.source.caches import cache_fills
from dash_stash.lint.source.definitions import Function, Module
from dash_stash.lint.source.program import Program
from dash_stash.lint.values.environment import Environment, Variables
from dash_stash.lint.values.value import NONE, SCALAR, UNKNOWN, Kind, Root, Routine, Sort, Value

_ROUNDS = 8
"""How often functions that call each other are followed; in practice three rounds suffice."""


@dataclass(frozen=True)
class Registration:
    """A function that Dash calls, and as what."""

    function: Function
    kind: str
    """ "callback", "layout" or "memo"."""
    bound: int = 0
    """How many of its first parameters are bound to objects that all its calls share.

    Those are the object of a method, and the arguments of a partial.
    """


class Analysis:
    """What is known of a program's functions."""

    def __init__(self, program: Program) -> None:
        """Start with nothing known."""
        self.program = program
        self.classes = Classes(self)
        self.registrations: dict[Function, Registration] = {}
        self._summaries: dict[Function, Summary] = {}
        self._locals: dict[Function, Variables] = {}
        self._variables: dict[Module, Variables] = {}
        self._active: set[Function] = set()
        self._done: set[Function] = set()
        self._given: dict[Function, dict[str, Kind | None]] = {}
        self._recursive = self._learnt = False

    # What the functions that are followed ask for

    def summary(self, function: Function) -> Summary:
        """Return what calling *function* does, as far as it is known yet."""
        if function in self._active:
            self._recursive = True
        elif function not in self._done:
            self._follow(function)
        return self._summaries.setdefault(function, Summary())

    def variables(self, module: Module) -> Variables:
        """Return the module's variables, as they are once it is imported."""
        if module not in self._variables:
            environment = Environment(self, module)
            # Modules that import each other see what is there so far.
            self._variables[module] = environment.variables
            Statements(self, environment, Recorder(module)).run(module.tree.body)
            self._variables[module] = environment.variables
        return self._variables[module]

    def captured(self, function: Function, name: str) -> Value:
        """Return what a function's variable is for the functions written in it."""
        if function not in self._locals and function not in self._active:
            self.summary(function)
        return self._locals.get(function, {}).get(name, UNKNOWN)

    def evaluate(self, module: Module, node: ast.expr) -> Value:
        """Return what an expression at the module's top level is."""
        return self._evaluator(module, None, self.variables(module)).evaluate(node)

    def register(self, value: Value, kind: str) -> None:
        """Note that Dash will call *value*."""
        if isinstance(value.kind, Routine):
            function = value.kind.function
            registered = Registration(function, kind, bound=len(value.kind.bound))
            self.registrations.setdefault(function, registered)

    def note_arguments(self, function: Function, arguments: dict[str, Value]) -> None:
        """Note what a function is given somewhere.

        A function that was followed before has to be followed again.
        """
        known = self._given.setdefault(function, {})
        for name, value in arguments.items():
            kind = value.kind if name not in known or known[name] == value.kind else None
            if value.kind not in (NONE, SCALAR) and (name not in known or known[name] != kind):
                known[name] = kind
                self._learnt = self._learnt or function in self._done

    def known(self) -> list[Summary]:
        """Return what is known of all functions that were followed."""
        return list(self._summaries.values())

    # Following

    def follow_all(self, modules: list[Module]) -> None:
        """Follow all that the modules register, until nothing new is learnt."""
        for module in modules:
            self.variables(module)
        for _ in range(_ROUNDS):
            self._done.clear()
            self._recursive = self._learnt = False
            before = self._extent()
            self._round(modules)
            if not self._learnt and (not self._recursive or before == self._extent()):
                return

    def _extent(self) -> dict[Function, tuple[int, Value]]:
        """Return how much is known of each function."""
        return {
            function: (len(each.effects), each.returned)
            for function, each in self._summaries.items()
        }

    def _round(self, modules: list[Module]) -> None:
        for module in modules:
            self._find_layout(module)
            for function in list(_registering(module)):
                self.summary(function)
        followed: set[Function] = set()
        while waiting := [function for function in self.registrations if function not in followed]:
            for function in waiting:
                followed.add(function)
                self.summary(function)
                for wrapper in function.wrappers:
                    self.summary(wrapper)

    def _find_layout(self, module: Module) -> None:
        """Register a page's `layout`, which Dash calls whenever the page is opened."""
        if "register_page" in module.text:
            value = self.variables(module).get("layout", UNKNOWN)
            self.register(value, "layout")

    def _follow(self, function: Function) -> None:
        self._active.add(function)
        environment = Environment(self, function.module, function)
        recorder = Recorder(function.module, cache_fills(function.node))
        seen = self._locals.setdefault(function, {})
        given = self._given.get(function, {})
        environment.start(parameters(function, given, self._outside(function)), seen)
        Statements(self, environment, recorder).run(function.body)
        summary = recorder.summary
        known = self._summaries.get(function)
        for effect in list(known.effects.values()) if known else []:
            summary.add(effect)
        summary.returned = _lasting(recorder.returned, summary, function)
        self._summaries[function] = summary
        self._active.discard(function)
        self._done.add(function)

    def _outside(self, function: Function) -> Evaluator:
        """Return what evaluates expressions where a function is defined."""
        outer = function.outer
        variables = self._locals.get(outer, {}) if outer else self.variables(function.module)
        return self._evaluator(function.module, outer, variables)

    def _evaluator(
        self, module: Module, function: Function | None, variables: Variables
    ) -> Evaluator:
        """Return what evaluates expressions whose effects do not matter."""
        environment = Environment(self, module, function)
        environment.variables = dict(variables)
        return Evaluator(self, environment, Recorder(module))


def _lasting(value: Value, summary: Summary, function: Function) -> Value:
    """Return a function's result; what comes out of a cache that it fills is a cached result."""
    filled = {effect.root for effect in summary.effects.values() if effect.code == "DS110"}
    names = {(root.sort, root.name, root.owner) for root in filled}
    kept = frozenset(
        root for root in value.roots if (root.sort, root.name, root.owner) not in names
    )
    if kept == value.roots:
        return value
    return Value(
        kept | {Root(Sort.CACHED, function.name, function)}, frozenset(), value.kind, value.text
    )


def _registering(module: Module) -> Iterator[Function]:
    """Return the functions in which callbacks may be registered, from the outside in."""
    wanted = ("callback", "Output", "Input", "register_page", ".layout")
    marks = {
        number
        for number, line in enumerate(module.lines, 1)
        if any(word in line for word in wanted)
    }
    for function in list(module.functions.values()):
        end = function.node.end_lineno or function.node.lineno
        if not isinstance(function.node, ast.Lambda) and not marks.isdisjoint(
            range(function.node.lineno, end + 1)
        ):
            yield function
