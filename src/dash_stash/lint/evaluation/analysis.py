"""Follows a program from the functions that Dash calls, through all that they call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from dash_stash.lint.effects.summary import Summary
from dash_stash.lint.evaluation.frame import Environment
from dash_stash.lint.evaluation.statements import Statements
from dash_stash.lint.source.caches import cache_fills
from dash_stash.lint.source.definitions import Function
from dash_stash.lint.source.program import Module, Program
from dash_stash.lint.source.registration import last_name
from dash_stash.lint.values.value import (
    CONSTANT,
    NONE,
    SCALAR,
    UNKNOWN,
    Data,
    Foreign,
    Instance,
    Kind,
    Made,
    Root,
    Routine,
    Sort,
    Type,
    Value,
    union,
)

_ROUNDS = 8
"""How often functions that call each other are followed; in practice three rounds suffice."""
_ANNOTATIONS = {
    "DataFrame": "frame", "Series": "series", "ndarray": "array", "list": "list", "List": "list", "dict": "dict", "Dict": "dict",
    "set": "set", "Set": "set", "deque": "deque", "Figure": "figure", "int": "scalar", "str": "scalar", "float": "scalar", "bool": "scalar",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A function that Dash calls."""

    function: Function
    kind: str
    """ "callback", "layout" or "memo"."""
    bound: int = 0
    """How many of its first parameters are bound to objects that all its calls share: that of a method, those of a partial."""


class Analysis:
    """What is known of a program's functions."""

    def __init__(self, program: Program) -> None:
        """Start with nothing known."""
        self.program = program
        self.entries: dict[Function, Entry] = {}
        self._summaries: dict[Function, Summary] = {}
        self._locals: dict[Function, Environment] = {}
        self._variables: dict[Module, Environment] = {}
        self._active: set[Function] = set()
        self._done: set[Function] = set()
        self._given: dict[Function, dict[str, Kind | None]] = {}
        self._recursive = self._learnt = False

    # What frames ask for

    def summary(self, function: Function) -> Summary:
        """Return what calling *function* does, as far as it is known yet."""
        if function in self._active:
            self._recursive = True
        elif function not in self._done:
            self._follow(function)
        return self._summaries.setdefault(function, Summary())

    def variables(self, module: Module) -> Environment:
        """Return the module's variables, as they are once it is imported."""
        if module not in self._variables:
            frame = Statements(self, module)
            self._variables[module] = (
                frame.env
            )  # modules that import each other see what is there so far
            frame.run(module.tree.body)
            self._variables[module] = frame.env
        return self._variables[module]

    def captured(self, function: Function, name: str) -> Value:
        """Return what a function's variable is for the functions written in it."""
        if function not in self._locals and function not in self._active:
            self.summary(function)
        return self._locals.get(function, {}).get(name, UNKNOWN)

    def register(self, value: Value, kind: str) -> None:
        """Take note that Dash will call *value*."""
        if isinstance(value.kind, Routine):
            function = value.kind.function
            self.entries.setdefault(function, Entry(function, kind, bound=len(value.kind.bound)))

    def note_arguments(self, function: Function, arguments: dict[str, Value]) -> None:
        """Take note of what a function is given somewhere.

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
            before = {
                function: (len(each.effects), each.returned)
                for function, each in self._summaries.items()
            }
            self._round(modules)
            after = {
                function: (len(each.effects), each.returned)
                for function, each in self._summaries.items()
            }
            if not self._learnt and (not self._recursive or before == after):
                return

    def _round(self, modules: list[Module]) -> None:
        for module in modules:
            self._find_layout(module)
            for function in list(_registering(module)):
                self.summary(function)
        followed: set[Function] = set()
        while waiting := [function for function in self.entries if function not in followed]:
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
        frame = Statements(self, function.module, function)
        frame.seen = self._locals.setdefault(function, frame.seen)
        frame.cache_fills = cache_fills(function.node)
        self._bind_parameters(frame, function)
        frame.seen.update(frame.env)
        frame.run(function.body)
        summary = frame.summary
        known = self._summaries.get(function)
        for effect in list(known.effects.values()) if known else []:
            summary.add(effect)
        summary.returned = _lasting(union(frame.returned), summary, function)
        self._summaries[function] = summary
        self._active.discard(function)
        self._done.add(function)

    def _bind_parameters(self, frame: Statements, function: Function) -> None:
        arguments = function.node.args
        outside = self._outside(function)
        for parameter in function.parameters:
            root = Root(Sort.PARAMETER, parameter.arg, function)
            kind = _annotated(outside, parameter.annotation) or self._given.get(function, {}).get(
                parameter.arg
            )
            frame.env[parameter.arg] = Value(
                frozenset({root}), frozenset(), kind, frozenset({root})
            )
        for starred in (arguments.vararg, arguments.kwarg):
            if starred is not None:
                root = Root(Sort.PARAMETER, starred.arg, function, part=True)
                kind = Data("tuple" if starred is arguments.vararg else "dict")
                frame.env[starred.arg] = Value(frozenset(), frozenset({root}), kind)
        self._bind_defaults(frame, function)
        self._bind_receiver(frame, function)

    def _outside(self, function: Function) -> Statements:
        """Return a frame in which the defaults and annotations of a function mean what they mean where it is defined."""
        frame = Statements(self, function.module, function.outer)
        frame.env = dict(
            self._locals.get(function.outer, {})
            if function.outer
            else self.variables(function.module)
        )
        return frame

    def _bind_defaults(self, frame: Statements, function: Function) -> None:
        arguments = function.node.args
        places = [*arguments.posonlyargs, *arguments.args]
        pairs = [*zip(reversed(places), reversed(arguments.defaults), strict=False)]
        pairs += [
            (name, value)
            for name, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if value
        ]
        outside = self._outside(function)
        for parameter, default in pairs:
            value = outside.evaluate(default)
            known = frame.env[parameter.arg]
            roots = value.roots
            if (
                not roots
                and isinstance(value.kind, Data)
                and value.kind not in (SCALAR, NONE, Data("tuple"), Data("mask"))
            ):
                roots = frozenset({Root(Sort.DEFAULT, parameter.arg, function)})
            if value.text == CONSTANT:
                function.fixed_defaults.add(parameter.arg)
            kind = value.kind if roots or isinstance(value.kind, Routine | Type) else known.kind
            frame.env[parameter.arg] = Value(
                known.roots | roots,
                known.inner,
                kind if known.kind is None else known.kind,
                known.text,
            )

    @staticmethod
    def _bind_receiver(frame: Statements, function: Function) -> None:
        """Bind `self`, or `cls`."""
        if function.owner is None or not function.parameters or function.decorated("staticmethod"):
            return
        name = function.parameters[0].arg
        if function.decorated("classmethod") or name == "cls":
            frame.env[name] = Value(kind=Type(function.owner))
        elif name == "self":
            frame.env[name] = Value(frame.env[name].roots, frozenset(), Instance(function.owner))


def _annotated(frame: Statements, node: ast.expr | None) -> Kind | None:
    """Return what a parameter's annotation says that it is."""
    if isinstance(node, ast.Subscript):
        return _annotated(frame, node.value)
    if isinstance(node, ast.BinOp):  # `frame: DataFrame | None`
        return _annotated(frame, node.left)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
        node = ast.Name(node.value, ast.Load())
    name = last_name(node) if node is not None else ""
    if name in _ANNOTATIONS:
        return Data(_ANNOTATIONS[name])
    kind = frame.evaluate(node).kind if name else None
    if isinstance(kind, Foreign):
        return Made(kind.name) if frame.is_exempt(Value(kind=kind)) else None
    return Instance(kind.cls) if isinstance(kind, Type) else None


def _lasting(value: Value, summary: Summary, function: Function) -> Value:
    """Return a function's result, in which what comes out of a cache that the function fills is a cached result."""
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
    """Return the functions of a module in which callbacks may be registered, from the outside in."""
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
