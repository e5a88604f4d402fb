"""A call of one of the program's functions: what it did and returned, as its caller sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dash_stash.lint.effects.recorder import REBINDING, code_for
from dash_stash.lint.effects.summary import CallStep, Effect, Site
from dash_stash.lint.source.definitions import Function
from dash_stash.lint.values.environment import Environment
from dash_stash.lint.values.sharing import can_change, is_exempt, written_files
from dash_stash.lint.values.value import (
    UNKNOWN,
    Root,
    Routine,
    Sort,
    Value,
    combined,
    in_order,
    inside,
)


@dataclass(slots=True)
class Invocation:
    """One call of a function.

    A parameter is seen as what the caller passed, a captured variable of the caller as what it is
    bound to now.
    """

    routine: Routine
    given: dict[str, Value]
    """What each parameter is given."""
    caller: Environment

    # What it did

    def effects(self, effects: list[Effect], site: Site) -> Iterator[Effect]:
        """Return the function's effects as effects of the call at *site*."""
        step = CallStep(site, self.routine.function.name)
        for effect in effects:
            # A function that calls itself adds nothing to the path.
            is_recursion = self.routine.function is self.caller.function
            path = effect.path if is_recursion else (step, *effect.path)
            for root in self._changed(effect):
                yield Effect(code_for(root, effect.code), root, effect.site, effect.via, path)

    def _changed(self, effect: Effect) -> list[Root]:
        root, function = effect.root, self.routine.function
        if root.sort is Sort.PARAMETER and root.owner is function:
            is_default = root.name not in self.given and root.name in function.fixed_defaults
            if effect.code == "DS112" and is_default:
                return [Root(Sort.FILE, "")]
            return _passed_on(effect, self.given.get(root.name, UNKNOWN))
        if root.sort is Sort.DEFAULT and root.owner is function:
            return [] if root.name in self.given else [root]
        if root.sort is Sort.CAPTURED and root.owner is self.caller.function:
            if effect.code in REBINDING:
                return []
            return _passed_on(effect, self.caller.own(root.name))
        if root.sort is Sort.CAPTURED and self.routine.lasting and _encloses(root.owner, function):
            return [Root(Sort.SHARED, root.name, root.owner)]
        return [root]

    # What it returned

    def result(self, value: Value) -> Value:
        """Return what the function's result is."""
        kind = value.kind
        if kind is None and len(value.roots) == 1:
            root = next(iter(value.roots))
            if root.sort is Sort.PARAMETER and root.owner is self.routine.function:
                kind = None if root.part else self.given.get(root.name, UNKNOWN).kind
        items = tuple((key, self.result(item)) for key, item in value.items)
        return Value(
            self._objects(value.roots), self._objects(value.inner), kind, self._text(value), items
        )

    def _text(self, value: Value) -> frozenset[Root] | None:
        if value.text is None:
            return None
        own = {root for root in value.text if root.owner is self.routine.function}
        given = combined(self.given.get(root.name, UNKNOWN) for root in own)
        return None if given is None else given | (value.text - own)

    def _objects(self, roots: frozenset[Root]) -> frozenset[Root]:
        function, found = self.routine.function, set[Root]()
        for root in roots:
            if root.sort is Sort.PARAMETER and root.owner is function:
                value = self.given.get(root.name, UNKNOWN)
                found |= value.content if root.part else value.roots
            elif root.sort is Sort.DEFAULT and root.owner is function and root.name in self.given:
                continue
            elif root.sort is Sort.CAPTURED and root.owner is self.caller.function:
                value = self.caller.own(root.name)
                found |= set(inside(value.roots)) | value.inner if root.part else value.roots
            else:
                found.add(root)
        return frozenset(found)


def _passed_on(effect: Effect, value: Value) -> list[Root]:
    """Return the objects that an effect on a parameter or variable changes, if it is *value*."""
    if effect.code == "DS112":
        return written_files(value)
    if effect.root.part:
        return in_order(value.part().roots)
    if is_exempt(value) or not can_change(value, effect.via):
        return []
    return in_order(value.roots)


def _encloses(scope: object, function: Function) -> bool:
    return isinstance(scope, Function) and function.is_inside(scope)
