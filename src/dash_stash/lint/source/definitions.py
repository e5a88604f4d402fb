"""The modules, functions and classes of a program, and the names of their scopes."""

from __future__ import annotations

import ast
import functools
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass, field

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(eq=False)
class Module:
    """A file of Python."""

    path: pathlib.Path
    shown: str
    """Its path as the user would write it."""
    text: str
    tree: ast.Module
    functions: dict[ast.AST, Function] = field(default_factory=dict)
    classes: dict[ast.AST, Class] = field(default_factory=dict)

    @functools.cached_property
    def lines(self) -> list[str]:
        """The lines of its text."""
        return self.text.splitlines()

    def import_origin(self, name: str) -> str:
        """Return the dotted name that a top-level import binds to *name*; "" if none does."""
        for node in self.tree.body:
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return prefix + alias.name
        return ""

    def function(self, node: FunctionNode, outer: Function | None, owner: Class | None) -> Function:
        """Return the function that is written at *node*."""
        if node not in self.functions:
            self.functions[node] = Function(node, self, outer, owner)
        return self.functions[node]

    def cls(self, node: ast.ClassDef, outer: Function | None) -> Class:
        """Return the class that is written at *node*."""
        if node not in self.classes:
            made = self.classes[node] = Class(node, self, outer)
            for child in node.body:
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                    is_setter = any(
                        isinstance(each, ast.Attribute) and each.attr == "setter"
                        for each in child.decorator_list
                    )
                    (made.setters if is_setter else made.methods)[child.name] = self.function(
                        child, outer, made
                    )
        return self.classes[node]


@dataclass(eq=False)
class Function:
    """A function, method or lambda."""

    node: FunctionNode
    module: Module
    outer: Function | None
    """The function that it is written in."""
    owner: Class | None
    """The class whose method it is."""
    memo: str = ""
    """How its results are cached.

    "lasting": all callers get one object. "memo": each gets a copy. "": not at all.
    """
    fixed_defaults: set[str] = field(default_factory=set)
    """The parameters whose default is the same text, or path of a file, in every call."""
    wrappers: list[Function] = field(default_factory=list)
    """The functions that the program's own decorators put around it."""

    @functools.cached_property
    def names(self) -> ScopeNames:
        """The names that belong to it."""
        return ScopeNames(self.node)

    @property
    def name(self) -> str:
        """Its name as a user would say it."""
        own = getattr(self.node, "name", "lambda")
        return f"{self.owner.name}.{own}" if self.owner else own

    @functools.cached_property
    def parameters(self) -> list[ast.arg]:
        """The parameters that are bound by position, then those bound by name alone."""
        arguments = self.node.args
        return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]

    @property
    def body(self) -> list[ast.stmt]:
        """Its statements."""
        if isinstance(self.node, ast.Lambda):
            return [ast.copy_location(ast.Return(self.node.body), self.node.body)]
        return self.node.body

    def decorated(self, *names: str) -> bool:
        """Return whether it has a plain decorator of one of these names."""
        decorators = getattr(self.node, "decorator_list", [])
        return any(isinstance(node, ast.Name) and node.id in names for node in decorators)

    def is_inside(self, other: Function) -> bool:
        """Return whether it is written in *other*, at any depth."""
        return self.outer is not None and (self.outer is other or self.outer.is_inside(other))


@dataclass(eq=False)
class Class:
    """A class of the program."""

    node: ast.ClassDef
    module: Module
    outer: Function | None
    methods: dict[str, Function] = field(default_factory=dict)
    setters: dict[str, Function] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name."""
        return self.node.name

    @functools.cached_property
    def foreign_bases(self) -> list[str]:
        """The libraries' classes that it is derived from, as far as its module's imports tell."""
        names = []
        for base in self.node.bases:
            dotted = ast.unparse(base) if isinstance(base, ast.Name | ast.Attribute) else ""
            head, _, rest = dotted.partition(".")
            origin = self.module.import_origin(head)
            if origin:
                names.append(f"{origin}.{rest}" if rest else origin)
        return names

    @functools.cached_property
    def assigned(self) -> dict[str, list[ast.expr]]:
        """What its methods assign to the attributes of `self`."""
        found: dict[str, list[ast.expr]] = {}
        for method in (*self.methods.values(), *self.setters.values()):
            own = method.parameters[0].arg if method.parameters else ""
            for target, value in _assigned_attributes(method):
                if isinstance(target.value, ast.Name) and target.value.id == own:
                    found.setdefault(target.attr, []).append(value)
        return found

    @functools.cached_property
    def attributes(self) -> dict[str, ast.expr]:
        """What its body assigns."""
        found: dict[str, ast.expr] = {}
        for node in self.node.body:
            value = getattr(node, "value", None)
            found |= {
                target.id: value
                for target in _targets_of(node)
                if isinstance(target, ast.Name) and value is not None
            }
        return found

    @functools.cached_property
    def instance_names(self) -> frozenset[str]:
        """The attributes that each of its objects has of its own."""
        return frozenset(self.assigned) | self._fields()

    def _fields(self) -> frozenset[str]:
        """Return the fields that the class's body declares: of a dataclass, an Enum, a model."""
        if not (
            self.node.decorator_list
            or self.node.keywords
            or any(_is_model(base) for base in self.node.bases)
        ):
            return frozenset()
        return frozenset(
            node.target.id
            for node in self.node.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        )


def _is_model(base: ast.expr) -> bool:
    """Return whether a base class makes fields of annotations: pydantic, NamedTuple, Enum."""
    name = base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
    return name.endswith(("BaseModel", "BaseSettings", "NamedTuple", "TypedDict", "Enum", "Struct"))


def _targets_of(node: ast.AST) -> list[ast.expr]:
    """Return what an assignment assigns to; nothing for other statements."""
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign) else []


def _assigned_attributes(method: Function) -> Iterator[tuple[ast.Attribute, ast.expr]]:
    """Return the attributes that a method assigns.

    Each part of a tuple is said to be given the whole value.
    """
    for node in ast.walk(method.node):
        value = getattr(node, "value", None)
        for part in (part for target in _targets_of(node) for part in ast.walk(target)):
            if (
                isinstance(part, ast.Attribute)
                and isinstance(part.ctx, ast.Store)
                and value is not None
            ):
                yield part, value


class ScopeNames:
    """The names that a function binds itself, and those that it declares to be another scope's."""

    def __init__(self, node: FunctionNode) -> None:
        """Read them off the function, without the functions and classes inside it."""
        arguments = node.args
        starred = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
        self.local = {
            argument.arg
            for argument in [
                *arguments.posonlyargs,
                *arguments.args,
                *arguments.kwonlyargs,
                *starred,
            ]
        }
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        for child in [node.body] if isinstance(node, ast.Lambda) else node.body:
            self._bind(child)
        self.local -= self.globals | self.nonlocals

    def _bind(self, node: ast.AST) -> None:
        self._bind_one(node)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            self._bind_named(node)
        elif not isinstance(node, _SCOPES):
            for child in ast.iter_child_nodes(node):
                self._bind(child)

    def _bind_one(self, node: ast.AST) -> None:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                self.local.add(name)
            case ast.Global(names=names):
                self.globals.update(names)
            case ast.Nonlocal(names=names):
                self.nonlocals.update(names)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                self.local.update(alias.asname or alias.name.partition(".")[0] for alias in aliases)
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                self.local.add(name)
            case ast.MatchMapping(rest=str(name)):
                self.local.add(name)
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                self.local.add(name)

    def _bind_named(self, comprehension: ast.AST) -> None:
        """Bind what `:=` binds in a comprehension; its own targets stay its own."""
        self.local.update(
            node.target.id for node in ast.walk(comprehension) if isinstance(node, ast.NamedExpr)
        )
