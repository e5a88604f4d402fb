"""What calling a function does to objects that outlive the call."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from dash_stash.lint.source.definitions import Function, Module
from dash_stash.lint.values.value import UNKNOWN, Root, Value


@dataclass(frozen=True)
class Site:
    """A place in the source."""

    module: Module
    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def of(cls, module: Module, node: ast.AST) -> Site:
        """Return where *node* stands."""
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        return cls(
            module,
            line,
            column,
            getattr(node, "end_lineno", line) or line,
            getattr(node, "end_col_offset", column) or column,
        )


@dataclass(frozen=True)
class CallStep:
    """A call on the way from a callback to a mutation."""

    site: Site
    callee: str


@dataclass(frozen=True)
class Effect:
    """One mutation."""

    code: str
    root: Root
    site: Site
    via: str = ""
    """The method or operator, if only some types of objects are changed by it."""
    path: tuple[CallStep, ...] = ()
    """The calls that lead to it, outermost first."""


@dataclass
class Summary:
    """What is known of a function, for those who call it."""

    effects: dict[tuple[str, Root, Site], Effect] = field(default_factory=dict)
    returned: Value = UNKNOWN
    calls: dict[Function, Site] = field(default_factory=dict)
    reads: dict[Root, Site] = field(default_factory=dict)
    foreign_calls: dict[str, Site] = field(default_factory=dict)

    def add(self, effect: Effect) -> None:
        """Note an effect; of several paths to the same mutation the shortest is told."""
        key = (effect.code, effect.root, effect.site)
        known = self.effects.get(key)
        if known is None or len(effect.path) < len(known.path):
            self.effects[key] = effect
