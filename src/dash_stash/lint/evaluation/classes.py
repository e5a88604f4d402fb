"""What is known of the program's classes: what they are derived from, and what they have."""

from __future__ import annotations

import ast
from typing import Final, Protocol

from dash_stash.lint.source.definitions import Class, Function, Module
from dash_stash.lint.source.registration import last_name
from dash_stash.lint.values.environment import Variables
from dash_stash.lint.values.value import (
    NONE,
    SCALAR,
    UNKNOWN,
    Data,
    Foreign,
    Instance,
    Kind,
    Type,
    Value,
    made_by,
)

_DISPLAYS: Final[dict[type[ast.expr], str]] = {
    ast.List: "list",
    ast.Set: "set",
    ast.Tuple: "tuple",
    ast.Dict: "dict",
    ast.ListComp: "list",
    ast.SetComp: "set",
    ast.DictComp: "dict",
}
_CONTAINERS: Final = {
    "dict": "dict",
    "list": "list",
    "set": "set",
    "OrderedDict": "dict",
    "defaultdict": "dict",
    "UserDict": "dict",
    "UserList": "list",
    "deque": "deque",
    "Counter": "dict",
}


class TopLevel(Protocol):
    """The top level of the program's modules."""

    def variables(self, module: Module) -> Variables:
        """Return the module's variables, as they are once it is imported."""
        ...

    def evaluate(self, module: Module, node: ast.expr) -> Value:
        """Return what an expression at the module's top level is."""
        ...


class Classes:
    """The program's classes."""

    def __init__(self, top: TopLevel) -> None:
        """Start with nothing known."""
        self._top = top
        self._families: dict[Class, list[Class]] = {}
        self._kinds: dict[tuple[Class, str], Kind | None] = {}

    def family(self, cls: Class) -> list[Class]:
        """Return a class and the program's classes that it is derived from."""
        if cls not in self._families:
            found = [cls]
            for each in found:  # it grows while we go
                for base in each.node.bases:
                    kind = self._named(each.module, base)
                    if kind is not None and kind not in found:
                        found.append(kind)
            self._families[cls] = found
        return self._families[cls]

    def _named(self, module: Module, node: ast.expr) -> Class | None:
        """Return the class that a base, `Base` or `module.Base`, means."""
        is_name = isinstance(node, ast.Name)
        if not is_name and not (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        ):
            return None
        kind = self._top.evaluate(module, node).kind
        return kind.cls if isinstance(kind, Type) else None

    def method(self, cls: Class, name: str) -> Function | None:
        """Return the method of that name."""
        return next((each.methods[name] for each in self.family(cls) if name in each.methods), None)

    def inherited(self, cls: Class, name: str) -> Function | None:
        """Return the method that `super()` finds."""
        return next(
            (each.methods[name] for each in self.family(cls)[1:] if name in each.methods), None
        )

    def setter(self, cls: Class, name: str) -> Function | None:
        """Return the setter of a property."""
        return next((each.setters[name] for each in self.family(cls) if name in each.setters), None)

    def attribute(self, cls: Class, name: str) -> tuple[Class | None, Value]:
        """Return the class whose body binds *name*, and what to."""
        for each in self.family(cls):
            if name in each.attributes:
                return each, self._top.evaluate(each.module, each.attributes[name])
        return None, UNKNOWN

    def is_of_instance(self, cls: Class, name: str) -> bool:
        """Return whether each object of the class has an attribute of this name of its own."""
        return any(name in each.instance_names for each in self.family(cls))

    def instance_kind(self, cls: Class, name: str) -> Kind | None:
        """Return what kind of thing the methods of a class assign to `self.name`."""
        if (cls, name) not in self._kinds:
            assigned = cls.assigned.get(name, ())
            kinds = {self._plain_kind(cls.module, value) for value in assigned} - {NONE}
            self._kinds[cls, name] = kinds.pop() if len(kinds) == 1 else None
        return self._kinds[cls, name]

    def _plain_kind(self, module: Module, node: ast.expr) -> Kind | None:
        """Return the kind of a display, or of a call of something that is imported."""
        if isinstance(node, ast.Constant):
            return NONE if node.value is None else SCALAR
        if type(node) in _DISPLAYS:
            return Data(_DISPLAYS[type(node)])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            head, _, rest = ast.unparse(node.func).partition(".")
            builtin = Value(kind=Foreign(f"builtins.{head}"))
            kind = self._top.variables(module).get(head, builtin).kind
            if isinstance(kind, Type) and not rest:
                return Instance(kind.cls)
            if isinstance(kind, Foreign):
                return made_by(f"{kind.name}.{rest}" if rest else kind.name)
        return None

    def has_unseen_attributes(self, cls: Class) -> bool:
        """Return whether a class is derived from an imported one."""
        return any(
            each.module.import_origin(ast.unparse(base).partition(".")[0])
            for each in self.family(cls)
            for base in each.node.bases
        )


def container(cls: Class) -> str:
    """Return the family of the built-in container that a class is derived from; "" for none."""
    names = map(last_name, cls.node.bases)
    return next((_CONTAINERS[name] for name in names if name in _CONTAINERS), "")
