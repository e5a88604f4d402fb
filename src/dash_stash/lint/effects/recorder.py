"""Notes what one function, or a module's own code, does to objects that outlive a call."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from dash_stash import mutations
from dash_stash.lint.effects.summary import Effect, Site, Summary
from dash_stash.lint.source.definitions import Function, Module
from dash_stash.lint.values.sharing import is_exempt, written_files
from dash_stash.lint.values.value import Foreign, Root, Sort, Value, in_order, union

REBINDING: Final = frozenset({"DS101", "DS102"})
_OF_REBOUND: Final = {Sort.GLOBAL: "DS101", Sort.CAPTURED: "DS102"}
_OF_ROOT: Final = {
    Sort.CLASS: "DS107",
    Sort.DEFAULT: "DS108",
    Sort.CACHED: "DS109",
    Sort.PROCESS: "DS111",
    Sort.FILE: "DS112",
}


def code_for(root: Root, code: str) -> str:
    """Return the code that tells most of a mutation: that of the object, or *code*."""
    return code if code in REBINDING else _OF_ROOT.get(root.sort, code)


class Recorder:
    """What a function was seen to do, so far."""

    def __init__(self, module: Module, cache_fills: frozenset[ast.AST] = frozenset()) -> None:
        """Start with nothing; an assignment to one of *cache_fills* fills a cache."""
        self.summary = Summary()
        self.warnings_are_kept = False
        """Whether the filters of warnings are put back after the code that is followed now."""
        self._module = module
        self._cache_fills = cache_fills
        self._returned: list[Value] = []

    @property
    def returned(self) -> Value:
        """What the function may return."""
        return union(self._returned)

    def note_returned(self, value: Value) -> None:
        """Note that the function may return *value*."""
        self._returned.append(value)

    def note_read(self, value: Value, node: ast.AST) -> None:
        """Note that shared objects are read at *node*."""
        is_request = isinstance(value.kind, Foreign) and value.kind.name in mutations.REQUEST
        if not value.roots and not is_request:
            return
        site = Site.of(self._module, node)
        for root in in_order(value.roots):
            if root.sort in {Sort.GLOBAL, Sort.CLASS}:
                self.summary.reads.setdefault(replace(root, part=False), site)
        if isinstance(value.kind, Foreign) and is_request:
            name = value.kind.name.rpartition(".")[2]
            self.summary.reads.setdefault(Root(Sort.FOREIGN, name), site)

    def note_call(self, function: Function, site: Site, effects: Iterable[Effect]) -> None:
        """Note that a function of the program is called at *site*, which has these effects."""
        self.summary.calls.setdefault(function, site)
        for effect in effects:
            self.summary.add(effect)

    def note_library_call(self, name: str, node: ast.AST) -> None:
        """Note that a library's function is called at *node*."""
        self.summary.foreign_calls.setdefault(name, Site.of(self._module, node))
        if name in mutations.PROCESS_CALLS and not (
            self.warnings_are_kept and name.startswith("warnings.")
        ):
            self.record("DS111", Root(Sort.PROCESS, name), node)

    def record(self, code: str, root: Root, node: ast.AST, via: str = "") -> None:
        """Note one effect."""
        self.summary.add(Effect(code, root, Site.of(self._module, node), via))

    def mutate(self, value: Value, code: str, node: ast.AST, via: str = "") -> None:
        """Note that an object is changed at *node*."""
        if is_exempt(value):
            return
        roots = value.roots
        if isinstance(value.kind, Foreign) and not roots:
            roots = frozenset({_foreign_root(value.kind.name)})
        for root in in_order(roots):
            found = "DS110" if code == "DS104" and node in self._cache_fills else code
            self.record(code_for(root, found), root, node, via)

    def rebind(self, root: Root | None, node: ast.AST, code: str = "") -> None:
        """Note that a variable of another scope is bound anew at *node*; None is an own one."""
        if root is not None:
            self.record(code or _OF_REBOUND[root.sort], root, node)

    def write(self, path: Value, node: ast.AST) -> None:
        """Note that the file at *path* is written."""
        for root in written_files(path):
            self.record("DS112", root, node)


def _foreign_root(name: str) -> Root:
    is_process = any(
        name == state or name.startswith(state + ".") for state in mutations.PROCESS_STATE
    )
    return Root(Sort.PROCESS if is_process else Sort.FOREIGN, name)
