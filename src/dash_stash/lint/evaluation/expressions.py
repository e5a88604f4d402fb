"""Follows expressions: what each may be."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable

from dash_stash.lint.evaluation.frame import Frame, handler, import_origin
from dash_stash.lint.source.definitions import Class, Function
from dash_stash.lint.values.value import (
    CONSTANT,
    EACH,
    NONE,
    SCALAR,
    UNKNOWN,
    Data,
    Foreign,
    Instance,
    Kind,
    Made,
    Namespace,
    Root,
    Routine,
    Sort,
    Type,
    Value,
    combined,
    union,
)

_DISPLAYS = {ast.List: "list", ast.Set: "set", ast.Tuple: "tuple"}
_COMPREHENSIONS = {ast.ListComp: "list", ast.SetComp: "set", ast.GeneratorExp: "iterator"}
_LOCATORS = frozenset(
    {"loc", "iloc", "at", "iat", "values", "array", "T", "flat", "real", "imag", "base"}
)
_FIXED_NAMES = frozenset({"__file__", "__name__"})


class Expressions(Frame):
    """What an expression may be, and what evaluating it does."""

    def evaluate(self, node: ast.expr | None) -> Value:
        """Return what is known of the expression's value."""
        if node is None:
            return UNKNOWN
        method: Callable[[ast.expr], Value] | None = getattr(
            self, handler("on", type(node).__name__), None
        )
        if method is not None:
            return method(node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.evaluate(child)
        return UNKNOWN

    def call(self, node: ast.Call) -> Value:
        """Follow a call."""
        raise NotImplementedError

    def call_routine(
        self, routine: Routine, arguments: list[Value], named: dict[str, Value], node: ast.AST
    ) -> Value:
        """Follow a call of one of the program's functions."""
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a target."""
        raise NotImplementedError

    def _on_constant(self, node: ast.Constant) -> Value:
        return Value(
            kind=NONE if node.value is None else SCALAR,
            text=CONSTANT if isinstance(node.value, str | bytes | int) else None,
        )

    def _on_joined_str(self, node: ast.JoinedStr) -> Value:
        parts = [
            self.evaluate(part.value)
            if isinstance(part, ast.FormattedValue)
            else self.evaluate(part)
            for part in node.values
        ]
        return Value(kind=SCALAR, text=combined(parts))

    def _on_name(self, node: ast.Name) -> Value:
        if node.id in _FIXED_NAMES:
            return Value(kind=SCALAR, text=CONSTANT)
        value = self.lookup(node.id)
        self.note_read(value, node)
        return value

    def _on_call(self, node: ast.Call) -> Value:
        return self.call(node)

    def _on_await(self, node: ast.Await) -> Value:
        return self.evaluate(node.value)

    def _on_starred(self, node: ast.Starred) -> Value:
        return self.evaluate(node.value).part()

    def _on_named_expr(self, node: ast.NamedExpr) -> Value:
        value = self.evaluate(node.value)
        self.assign(node.target, value)
        return value

    def _on_if_exp(self, node: ast.IfExp) -> Value:
        self.evaluate(node.test)
        return self.evaluate(node.body).join(self.evaluate(node.orelse))

    def _on_bool_op(self, node: ast.BoolOp) -> Value:
        values = [self.evaluate(value) for value in node.values]
        return next((value for value in values if self.is_lasting(value)), union(values))

    def _on_compare(self, node: ast.Compare) -> Value:
        for operand in (node.left, *node.comparators):
            self.evaluate(operand)
        return Value(kind=Data("mask"))

    def _on_unary_op(self, node: ast.UnaryOp) -> Value:
        value = self.evaluate(node.operand)
        return Value(kind=value.kind if isinstance(value.kind, Data) else None, text=value.text)

    def _on_bin_op(self, node: ast.BinOp) -> Value:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        kind: Kind | None = (
            left.kind
            if isinstance(left.kind, Data)
            else right.kind
            if isinstance(right.kind, Data)
            else None
        )
        if isinstance(left.kind, Made) and isinstance(node.op, ast.Div):
            kind = left.kind  # a path
        inner = left.content | right.content if kind == Data("list") else frozenset()
        return Value(inner=inner, kind=kind, text=combined((left, right)))

    def _on_lambda(self, node: ast.Lambda) -> Value:
        return Value(kind=Routine(self.module.function(node, self.function, None)))

    def _display(self, node: ast.List | ast.Set | ast.Tuple) -> Value:
        items = [self.evaluate(item) for item in node.elts]
        inner: frozenset[Root] = frozenset()
        for item, written in zip(items, node.elts, strict=True):
            inner |= item.content if isinstance(written, ast.Starred) else item.held
        known: tuple[tuple[object, Value], ...] = ()
        if isinstance(node, ast.Tuple):
            known = tuple(enumerate(items))
        elif not any(item.roots for item in items):
            known = ((EACH, union(items)),) if items else ()
        if any(isinstance(written, ast.Starred) for written in node.elts):
            known = ()
        return Value(frozenset(), inner, Data(_DISPLAYS[type(node)]), combined(items), known)

    _on_list = _on_set = _on_tuple = _display

    def _on_dict(self, node: ast.Dict) -> Value:
        inner: frozenset[Root] = frozenset()
        items: dict[object, Value] = {}
        for key, written in zip(node.keys, node.values, strict=True):
            self.evaluate(key)
            value = self.evaluate(written)
            inner |= value.held if key else value.content
            if isinstance(key, ast.Constant):
                items[key.value] = value
            else:
                items.clear()  # it may have replaced any of those before it
        return Value(inner=inner, kind=Data("dict"), items=tuple(items.items()))

    def _on_yield(self, node: ast.Yield) -> Value:
        value = self.evaluate(node.value)
        self.returned.append(Value(inner=value.held, kind=Data("iterator")))
        return UNKNOWN

    def _on_yield_from(self, node: ast.YieldFrom) -> Value:
        self.returned.append(self.evaluate(node.value).copied(Data("iterator")))
        return UNKNOWN

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
        item = self._generated(node.generators, [node.elt])
        return Value(inner=item.held, kind=Data(_COMPREHENSIONS[type(node)]), items=item.among())

    _on_list_comp = _on_set_comp = _on_generator_exp = _comprehension

    def _on_dict_comp(self, node: ast.DictComp) -> Value:
        item = self._generated(node.generators, [node.key, node.value])
        return Value(inner=item.held, kind=Data("dict"), items=item.among())

    def _generated(self, generators: Iterable[ast.comprehension], items: list[ast.expr]) -> Value:
        """Return what the last of *items* is, in the scope of a comprehension."""
        outer, self.env = self.env, dict(self.env)
        hidden, self.hidden = self.hidden, set(self.hidden)
        for generator in generators:
            source = self.evaluate(generator.iter)
            self.bind_own(generator.target, source.part())
            for test in generator.ifs:
                self.evaluate(test)
        value = [self.evaluate(item) for item in items][-1]
        self.env, self.hidden = outer, hidden
        return value

    def bind_own(self, target: ast.expr, value: Value) -> None:
        """Bind a comprehension's target, which hides every other scope's."""
        if isinstance(target, ast.Name):
            self.env[target.id] = value
            self.hidden.add(target.id)
        elif isinstance(target, ast.Tuple | ast.List | ast.Starred):
            children = (
                child for child in ast.iter_child_nodes(target) if isinstance(child, ast.expr)
            )
            for place, child in enumerate(children):
                self.bind_own(child, value.item(place))

    # Attributes

    def _on_attribute(self, node: ast.Attribute) -> Value:
        value = self.attribute(self.evaluate(node.value), node.attr, node)
        if isinstance(value.kind, Foreign) or any(root.sort is Sort.CLASS for root in value.roots):
            self.note_read(value, node)
        return value

    def attribute(self, value: Value, name: str, node: ast.AST) -> Value:
        """Return what an attribute of a value is."""
        match value.kind:
            case Namespace(module):
                return self._of_module(module, name, node)
            case Foreign(base):
                return Value(kind=Foreign(f"{base}.{name}"))
            case Made(base):
                return Value(value.content, value.content, Made(f"{base}.{name}"), value.text)
            case Type(cls):
                return self._of_class(cls, name, value)
            case Instance(cls):
                return self._of_instance(cls, name, value, node)
            case Data("frame") | Data("frame slice"):
                return value.part(Data("locator" if name in _LOCATORS else "series"))
            case Data("series" | "array") if name in _LOCATORS:
                return value.part(value.kind)
        return Value(value.content, value.content, None, value.text)

    def _of_module(self, module: object, name: str, node: ast.AST) -> Value:
        from dash_stash.lint.source.program import Module

        if not isinstance(module, Module):
            return UNKNOWN
        variables = self.knowledge.variables(module)
        if name in variables:
            value = self.shared(module, name, variables[name])
            self.note_read(value, node)
            return value
        found = self.knowledge.program.submodule(module, name)
        return (
            Value(kind=Namespace(found))
            if found
            else Value(frozenset({Root(Sort.GLOBAL, name, module)}))
        )

    def _of_class(self, cls: Class, name: str, receiver: Value) -> Value:
        """Return what `Class.name` is."""
        method, owner = self.find_method(cls, name)
        if method is not None:
            return Value(
                kind=Routine(method, (Value(kind=Type(cls)),))
                if method.decorated("classmethod")
                else Routine(method)
            )
        owner, value = self.find_attribute(cls, name)
        if owner is not None:
            return Value(
                frozenset({Root(Sort.CLASS, f"{owner.name}.{name}", owner)}),
                frozenset(),
                value.kind,
                value.text,
            )
        return (
            Value(frozenset({Root(Sort.CLASS, f"{cls.name}.{name}", cls)}))
            if not self.foreign(cls)
            else receiver.part()
        )

    def _of_instance(self, cls: Class, name: str, receiver: Value, node: ast.AST) -> Value:
        """Return what an attribute of an object of the program's class is."""
        if name == "__class__":
            return Value(kind=Type(cls))
        method, _ = self.find_method(cls, name)
        if method is not None:
            if method.decorated("property", "cached_property"):
                return self.call_routine(Routine(method, (receiver,)), [], {}, node)
            if method.decorated("staticmethod"):
                return Value(kind=Routine(method))
            owner = Value(kind=Type(cls)) if method.decorated("classmethod") else receiver
            return Value(kind=Routine(method, (owner,)))
        if any(name in each.instance_names for each in self.family(cls)):
            return receiver.part(self.instance_kind(cls, name))
        owner_class, value = self.find_attribute(cls, name)
        if (
            owner_class is not None
            and isinstance(value.kind, Data)
            and value.kind not in (SCALAR, NONE)
        ):
            return Value(
                frozenset({Root(Sort.CLASS, f"{owner_class.name}.{name}", owner_class)}),
                frozenset(),
                value.kind,
            )
        return receiver.part(value.kind if owner_class is not None else None)

    # Classes

    def family(self, cls: Class) -> list[Class]:
        """Return a class and the program's classes that it is derived from."""
        if cls.family:
            return cls.family
        found = [cls]
        for each in found:  # it grows while we go
            scope = type(self)(self.knowledge, each.module)
            for base in each.node.bases:
                kind = scope.class_named(base)
                if kind is not None and kind not in found:
                    found.append(kind)
        cls.family = found
        return found

    def class_named(self, node: ast.expr) -> Class | None:
        """Return the class of the program that an expression at the top level means."""
        variables = self.knowledge.variables(self.module)
        if isinstance(node, ast.Name):
            value = variables.get(node.id, UNKNOWN)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            value = self.attribute(variables.get(node.value.id, UNKNOWN), node.attr, node)
        else:
            return None
        return value.kind.cls if isinstance(value.kind, Type) else None

    def find_method(self, cls: Class, name: str) -> tuple[Function | None, Class | None]:
        """Return the method of that name, and the class that has it."""
        for each in self.family(cls):
            if name in each.methods:
                return each.methods[name], each
        return None, None

    def find_attribute(self, cls: Class, name: str) -> tuple[Class | None, Value]:
        """Return the class whose body binds *name*, and what to."""
        for each in self.family(cls):
            if name in each.attributes:
                scope = type(self)(self.knowledge, each.module)
                scope.env = dict(self.knowledge.variables(each.module))
                return each, scope.evaluate(each.attributes[name])
        return None, UNKNOWN

    def instance_kind(self, cls: Class, name: str) -> Kind | None:
        """Return what kind of thing the methods of a class assign to `self.name`."""
        if name not in cls.kinds:
            kinds = {self._shallow_kind(cls, value) for value in cls.assigned.get(name, ())} - {
                NONE
            }
            cls.kinds[name] = kinds.pop() if len(kinds) == 1 else None
        return cls.kinds[name]

    def _shallow_kind(self, cls: Class, node: ast.expr) -> Kind | None:
        """Return the kind of a value that is plain to see: a display, or a call of something that is imported."""
        if isinstance(node, ast.Constant):
            return NONE if node.value is None else SCALAR
        if type(node) in _DISPLAYS or isinstance(
            node, ast.Dict | ast.ListComp | ast.DictComp | ast.SetComp
        ):
            name = _DISPLAYS.get(type(node)) or _COMPREHENSIONS.get(type(node)) or "dict"
            return Data(name)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            variables = self.knowledge.variables(cls.module)
            head, _, rest = ast.unparse(node.func).partition(".")
            kind = variables.get(head, self.builtin(head)).kind
            if isinstance(kind, Type) and not rest:
                return Instance(kind.cls)
            if isinstance(kind, Foreign):
                return self.made(f"{kind.name}.{rest}" if rest else kind.name)
        return None

    def builtin(self, name: str) -> Value:
        """Return what a built-in name is."""
        return Value(kind=Foreign(f"builtins.{name}"))

    @staticmethod
    def made(name: str) -> Data | Made:
        """Return what a library's function of this name returns."""
        from dash_stash import mutations

        family = mutations.family_of(name)
        return Data(family.name) if family else Made(name)

    def foreign(self, cls: Class) -> bool:
        """Tell whether a class may have attributes that nobody here sees."""
        return any(
            import_origin(each.module, ast.unparse(base).partition(".")[0])
            for each in self.family(cls)
            for base in each.node.bases
        )

    # Items

    def _on_subscript(self, node: ast.Subscript) -> Value:
        value, index = self.evaluate(node.value), self.evaluate(node.slice)
        if value.items and isinstance(node.slice, ast.Constant):
            return value.item(node.slice.value)
        match value.kind:
            case Foreign(name) if not value.roots:
                return Value(kind=Foreign(f"{name}[]"))
            case Made(name):
                return Value(value.content, value.content, Made(f"{name}[]"))
            case Data("frame" | "frame slice" | "locator") as kind:
                shared = _view_of_frame(kind, node.slice)
                return value.part(shared) if shared else UNKNOWN
            case Data("series" | "array"):
                return value.part(value.kind) if _is_basic(node.slice) else UNKNOWN
            case Data("list" | "tuple" | "deque") if isinstance(node.slice, ast.Slice):
                return value.copied(value.kind)
            case Data("dict" | "list" | "tuple" | "deque" | "iterator"):
                return value.part()
        return Value(inner=value.inner) if self._copies(node.slice, index) else value.part()

    def _copies(self, node: ast.expr, index: Value) -> bool:
        """Tell whether an index into an object of unknown type makes a new one: a slice of a list, a selection from a frame."""
        if isinstance(node, ast.Tuple):
            return any(
                not isinstance(each, ast.Slice) and self._copies(each, self.evaluate(each))
                for each in node.elts
            )
        return isinstance(node, ast.Slice) or index.kind in (Data("mask"), Data("list"))


def _is_basic(node: ast.expr) -> bool:
    """Tell whether an index into an array gives a view: slices and numbers do, masks and lists do not."""
    if isinstance(node, ast.Tuple):
        return all(_is_basic(each) for each in node.elts)
    return isinstance(node, ast.Slice) or (
        isinstance(node, ast.Constant) and node.value is not None
    )


def _view_of_frame(kind: Data, index: ast.expr) -> Data | None:
    """Return what an index into a frame shares with it: one column, or some rows.

    None if it copies.
    """
    if kind.family == "locator":
        if isinstance(index, ast.Tuple) and len(index.elts) == 2:  # noqa: PLR2004 - rows and columns
            rows, columns = index.elts
            if isinstance(rows, ast.Slice) and isinstance(columns, ast.Constant):
                return Data("series")
        return Data("frame slice") if isinstance(index, ast.Slice) else None
    if isinstance(index, ast.Constant) and isinstance(index.value, str):
        return Data("series")
    return Data("frame slice") if isinstance(index, ast.Slice) else None


def writes_columns(value: Value) -> bool:
    """Tell whether assigning to an item of it replaces a column of that object alone: rows of another frame are left as they are."""
    return value.kind == Data("frame slice")
