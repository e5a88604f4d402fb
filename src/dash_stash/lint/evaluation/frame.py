"""One function (or module) while it is followed: its variables, and what it was seen to do."""

from __future__ import annotations

import ast
import builtins
import functools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from dash_stash import mutations
from dash_stash.lint.effects.summary import Effect, Site, Step, Summary
from dash_stash.lint.source.definitions import Class, Function
from dash_stash.lint.values.value import (
    EACH,
    NONE,
    SCALAR,
    UNKNOWN,
    Data,
    Foreign,
    Instance,
    Made,
    Namespace,
    Root,
    Routine,
    Sort,
    Type,
    Value,
    in_order,
)

if TYPE_CHECKING:
    from dash_stash.lint.source.program import Module, Program

Environment = dict[str, Value]

_OF_ROOT = {
    Sort.CLASS: "DS107",
    Sort.DEFAULT: "DS108",
    Sort.CACHED: "DS109",
    Sort.PROCESS: "DS111",
    Sort.FILE: "DS112",
}
_REBINDING = ("DS101", "DS102")


class Knowledge(Protocol):
    """What is known of the other functions and modules."""

    program: Program

    def summary(self, function: Function) -> Summary:
        """Return what calling *function* does."""
        ...

    def variables(self, module: Module) -> Environment:
        """Return the module's variables, as they are once it is imported."""
        ...

    def captured(self, function: Function, name: str) -> Value:
        """Return what a function's variable is for the functions written in it."""
        ...

    def register(self, value: Value, kind: str) -> None:
        """Take note that Dash will call *value*."""
        ...

    def note_arguments(self, function: Function, arguments: dict[str, Value]) -> None:
        """Take note of what a function is given somewhere."""
        ...


class Frame:
    """One function, or a module's own code."""

    def __init__(
        self, knowledge: Knowledge, module: Module, function: Function | None = None
    ) -> None:
        """Start with the parameters bound."""
        self.knowledge, self.module, self.function = knowledge, module, function
        self.cls: Class | None = None
        """The class whose body is being run."""
        self.env: Environment = {}
        self.seen: Environment = {}
        """All that a variable was seen to be: what a function written in this one may find."""
        self.rebound: Environment = {}
        """What this function assigned to global names."""
        self.hidden: set[str] = set()
        """The variables of the comprehensions around this point."""
        self.dead = False
        """Whether this point is never reached: after `return`."""
        self.summary = Summary()
        self.returned: list[Value] = []
        self.loops: list[list[Environment]] = []
        """For each loop around this point, what was known where it was left or begun again."""
        self.warnings_are_kept = False
        """Whether the filters of warnings are put back when this point is left."""
        self.cache_fills: frozenset[ast.AST] = frozenset()

    # Names

    def lookup(self, name: str) -> Value:
        """Return what a name is here."""
        function = self.function
        if name in self.hidden:
            return self.env[name]
        if function is None:
            return self.global_variable(name)
        if name in self.env and name not in function.names.globals | function.names.nonlocals:
            return self.env[name]
        if name in self.rebound:
            known = self.global_variable(name)
            return Value(
                known.roots, known.inner, known.kind or self.rebound[name].kind, known.text
            )
        if name in function.names.local:
            return UNKNOWN
        scope = None if name in function.names.globals else function.outer
        while scope is not None:
            if name in scope.names.local:
                return self._captured(scope, name)
            if name in scope.names.globals:
                break
            scope = scope.outer
        return self.global_variable(name)

    def _captured(self, scope: Function, name: str) -> Value:
        value = self.knowledge.captured(scope, name)
        if self.is_exempt(value) or isinstance(value.kind, Routine | Type | Namespace | Foreign):
            return value
        return Value(
            frozenset({Root(Sort.CAPTURED, name, scope)}),
            frozenset(),
            None if value.kind == NONE else value.kind,
        )

    def global_variable(self, name: str) -> Value:
        """Return what a name is at the level of the module."""
        variables = self.env if self.function is None else self.knowledge.variables(self.module)
        if name in variables:
            return self.shared(self.module, name, variables[name])
        if name in self.global_names():
            return Value(frozenset({Root(Sort.GLOBAL, name, self.module)}))
        return Value(kind=Foreign(f"builtins.{name}")) if hasattr(builtins, name) else UNKNOWN

    def global_names(self) -> set[str]:
        """Return the names that this function declares global: they may be bound nowhere else."""
        return self.function.names.globals if self.function else set()

    def shared(self, module: Module, name: str, value: Value) -> Value:
        """Return what a module's variable is for those who use it, and note that it is read."""
        if isinstance(value.kind, Routine):
            routine = value.kind
            return Value(
                value.roots,
                value.inner,
                Routine(routine.function, routine.bound, routine.named, lasting=True),
            )
        if isinstance(value.kind, Type | Namespace | Foreign) or self.is_exempt(value):
            return value
        others = (
            value.roots if value.kind != SCALAR else frozenset()
        )  # imported, or another name for the same
        roots = others or frozenset({Root(Sort.GLOBAL, name, module)})
        items = tuple(
            (key, item.inside(roots))
            for key, item in value.items
            if key is not EACH or item.kind == SCALAR
        )
        return Value(
            roots, value.inner, None if value.kind == NONE else value.kind, value.text, items
        )

    def note_read(self, value: Value, node: ast.AST) -> None:
        """Note that shared objects are read here."""
        site = Site.of(self.module, node)
        for root in in_order(value.roots):
            if root.sort in {Sort.GLOBAL, Sort.CLASS}:
                self.summary.reads.setdefault(replace(root, part=False), site)
        if isinstance(value.kind, Foreign) and value.kind.name in mutations.REQUEST:
            self.summary.reads.setdefault(
                Root(Sort.FOREIGN, value.kind.name.rpartition(".")[2]), site
            )

    # Effects

    @staticmethod
    def is_exempt(value: Value) -> bool:
        """Tell whether an object is made to be shared, or belongs to one request."""
        match value.kind:
            case Foreign(name) | Made(name):
                return mutations.is_infrastructure(name)
            case Instance(cls):
                return any(mutations.is_infrastructure(name) for name in foreign_bases(cls))
        return False

    def is_lasting(self, value: Value) -> bool:
        """Tell whether an object is made to be shared and kept: a connection, but not what it answered."""
        match value.kind:
            case Foreign(name) | Made(name) if name.startswith(mutations.ANSWERING):
                return name.rpartition(".")[2][:1].isupper()
        return self.is_exempt(value)

    def mutate(self, value: Value, code: str, node: ast.AST, via: str = "") -> None:
        """Note that an object is changed at *node*."""
        if self.is_exempt(value):
            return
        roots = value.roots
        if isinstance(value.kind, Foreign) and not roots:
            roots = frozenset({_foreign_root(value.kind.name)})
        for root in in_order(roots):
            found = "DS110" if code == "DS104" and node in self.cache_fills else code
            self.record(_OF_ROOT.get(root.sort, found), root, node, via)

    def record(self, code: str, root: Root, node: ast.AST, via: str = "") -> None:
        """Note one effect."""
        self.summary.add(Effect(code, root, Site.of(self.module, node), via))

    def pass_on(
        self, effect: Effect, arguments: dict[str, Value], node: ast.AST, routine: Routine
    ) -> None:
        """Note what a function that is called at *node* did, seen from here."""
        step = Step(Site.of(self.module, node), routine.function.name)
        for root in self._seen_from_here(effect, arguments, routine):
            code = (
                effect.code if effect.code in _REBINDING else _OF_ROOT.get(root.sort, effect.code)
            )
            # A function that calls itself adds nothing to the path.
            path = effect.path if routine.function is self.function else (step, *effect.path)
            self.summary.add(Effect(code, root, effect.site, effect.via, path))

    def _seen_from_here(
        self, effect: Effect, arguments: dict[str, Value], routine: Routine
    ) -> list[Root]:
        root = effect.root
        if root.sort is Sort.PARAMETER and root.owner is routine.function:
            if (
                effect.code == "DS112"
                and root.name not in arguments
                and root.name in routine.function.fixed_defaults
            ):
                return [Root(Sort.FILE, "")]
            return self._through_argument(effect, arguments.get(root.name, UNKNOWN))
        if root.sort is Sort.DEFAULT and root.owner is routine.function:
            return [] if root.name in arguments else [root]
        if root.sort is Sort.CAPTURED and root.owner is self.function:
            if effect.code in _REBINDING:
                return []
            return self._through_argument(effect, self.env.get(root.name, UNKNOWN))
        if (
            root.sort is Sort.CAPTURED
            and routine.lasting
            and _encloses(root.owner, routine.function)
        ):
            return [Root(Sort.SHARED, root.name, root.owner)]
        return [root]

    def _through_argument(self, effect: Effect, value: Value) -> list[Root]:
        if effect.code == "DS112":
            return written(value)
        if effect.root.part:
            return in_order(value.part().roots)
        if self.is_exempt(value) or not can_change(value, effect.via):
            return []
        return in_order(value.roots)


def written(path: Value) -> list[Root]:
    """Return whose the file at a path is: nobody's, if the path is the same in every call.

    Or whoever passes the one argument.
    """
    if path.text is None or len(path.text) > 1:
        return []
    return in_order(path.text) or [Root(Sort.FILE, "")]


def can_change(value: Value, via: str) -> bool:
    """Tell whether a method or operator changes an object of this kind; "" always does."""
    match value.kind:
        case _ if not via:
            return value.kind != SCALAR
        case Data("none"):
            return can_change(Value(value.roots), via)
        case Data(family) if via.endswith("="):
            return family in mutations.BY_NAME and mutations.BY_NAME[family].augments
        case Data(family):
            return family in mutations.BY_NAME and mutations.is_mutating(family, via)
        case None if via.endswith("="):
            return any(root.sort is Sort.PARAMETER for root in value.roots)
        case None:
            return mutations.is_mutating(None, via)
        case Made(name):
            known = mutations.family_of(name)
            return (
                mutations.is_mutating(known.name, via)
                if known
                else via in mutations.FOREIGN_METHODS
            )
        case Foreign(_):
            return via in mutations.FOREIGN_METHODS
    return False


def foreign_bases(cls: Class) -> list[str]:
    """Return the libraries' classes that a class is derived from, as far as its own module's imports tell."""
    names = []
    for base in cls.node.bases:
        dotted = ast.unparse(base) if isinstance(base, ast.Name | ast.Attribute) else ""
        head, _, rest = dotted.partition(".")
        origin = import_origin(cls.module, head)
        if origin:
            names.append(f"{origin}.{rest}" if rest else origin)
    return names


def import_origin(module: Module, name: str) -> str:
    """Return the dotted name that a top-level import binds to *name*; "" if none does."""
    for node in module.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return (
                        alias.name
                        if isinstance(node, ast.Import)
                        else f"{node.module}.{alias.name}"
                    )
    return ""


def _foreign_root(name: str) -> Root:
    is_process = any(
        name == state or name.startswith(state + ".") for state in mutations.PROCESS_STATE
    )
    return Root(Sort.PROCESS if is_process else Sort.FOREIGN, name)


def _encloses(scope: object, function: Function) -> bool:
    return isinstance(scope, Function) and function.is_inside(scope)


@functools.cache
def handler(verb: str, node: str) -> str:
    """Return the name of the method for a kind of node: `_on_joined_str`."""
    return f"_{verb}_{re.sub(r'(?<!^)(?=[A-Z])', '_', node).lower()}"
