"""What is reported: one finding for each callback and mutation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dash_stash.lint.effects.summary import CallStep, Effect, Site
from dash_stash.lint.evaluation.analysis import Analysis, Registration
from dash_stash.lint.report.memos import memo_effects
from dash_stash.lint.report.rules import RULES, Rule
from dash_stash.lint.source.definitions import Function, Module
from dash_stash.lint.source.program import UnreadableFile
from dash_stash.lint.values.value import Root, Sort


@dataclass(frozen=True)
class Finding:
    """A callback that changes what others share, or a cached function that depends on more."""

    rule: Rule
    function: str
    """The callback, layout or memo function."""
    kind: str
    """ "callback", "layout" or "memo"."""
    root: Root
    """What is changed, or read."""
    name: str
    """The object as a user would name it."""
    site: Site
    """The line in the function: the mutation, or the call that leads to it."""
    path: tuple[CallStep, ...]
    """The calls that lead to the mutation, outermost first.

    Empty if it is in the function itself.
    """
    mutation: Site
    """Where the mutation is."""

    @property
    def message(self) -> str:
        """What is wrong, in one line."""
        through = (
            f", in {self.path[-1].callee}() at {self.mutation.module.shown}:{self.mutation.line}"
            if self.path
            else ""
        )
        return (
            f"{_KINDS[self.kind]} {self.function} {self.rule.says.format(name=self.name)}{through}"
        )

    @property
    def trail(self) -> list[tuple[str, Site]]:
        """The functions on the way to the mutation, each with the line in it that leads on.

        That is the next call; in the last function, the mutation.
        """
        lines = [*(step.site for step in self.path[1:]), self.mutation]
        return [(step.callee, line) for step, line in zip(self.path, lines, strict=False)]


@dataclass(frozen=True)
class Report:
    """What a check found."""

    findings: list[Finding]
    unreadable: list[UnreadableFile]
    modules: list[Module]
    """The files that were checked."""

    @property
    def files(self) -> int:
        """How many files were checked."""
        return len(self.modules)

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to report."""
        return not self.findings and not self.unreadable


_ATTRIBUTE = re.compile(r"self\.\w+")
_KINDS = {"callback": "callback", "layout": "layout function", "memo": "cached function"}


def find(analysis: Analysis, modules: Iterable[Module]) -> list[Finding]:
    """Return what is wrong with the callbacks of the modules, in the order of their lines."""
    wanted = set(modules)
    found: dict[tuple[object, ...], Finding] = {}
    for registered in sorted(
        analysis.registrations.values(), key=lambda registered: registered.kind
    ):
        for finding in _of_registration(analysis, registered):
            found.setdefault(_key(finding), finding)
    reported = {finding.mutation for finding in found.values()}
    for function, effect in memo_effects(analysis, wanted):
        if effect.code in {"DS110", "DS113"} or effect.site not in reported:
            finding = _finding(Registration(function, "memo"), effect)
            found.setdefault(_key(finding), finding)
    chosen = [finding for finding in found.values() if finding.site.module in wanted]
    return sorted(
        chosen,
        key=lambda finding: (
            finding.site.module.shown,
            finding.site.line,
            finding.site.column,
            finding.rule.code,
        ),
    )


def _key(finding: Finding) -> tuple[object, ...]:
    """Return what makes two findings the same: the function, and where the mutation starts."""
    return (
        finding.site.module,
        finding.function,
        finding.site.line,
        finding.mutation.module,
        finding.mutation.line,
        finding.mutation.column,
    )


def _of_registration(analysis: Analysis, registered: Registration) -> Iterator[Finding]:
    """Return the findings of a registered function, those of the more telling codes first."""
    effects = list(analysis.summary(registered.function).effects.values())
    for wrapper in registered.function.wrappers:
        around = analysis.summary(wrapper).effects.values()
        own = (
            effect
            for effect in around
            if all(step.callee != registered.function.name for step in effect.path)
        )
        effects += [_shared_by_wrapper(effect, wrapper) for effect in own]
    for effect in sorted(
        effects, key=lambda effect: (len(effect.path), effect.code != "DS110", effect.code)
    ):
        if is_shared(effect.root, registered):
            yield _finding(registered, effect)


def _shared_by_wrapper(effect: Effect, wrapper: Function) -> Effect:
    """Return an effect of a decorator's function; what that captured is shared by all calls."""
    root = effect.root
    if (
        root.sort is Sort.CAPTURED
        and isinstance(root.owner, Function)
        and wrapper.is_inside(root.owner)
    ):
        root = Root(Sort.SHARED, root.name, root.owner)
    return Effect(effect.code, root, effect.site, effect.via, effect.path)


def is_shared(root: Root, registered: Registration) -> bool:
    """Return whether an object outlives a call of the registered function."""
    if root.sort is Sort.CAPTURED:
        return isinstance(root.owner, Function) and registered.function.is_inside(root.owner)
    if root.sort is Sort.PARAMETER:
        bound = registered.function.parameters[: registered.bound]
        return root.owner is registered.function and root.name in {
            parameter.arg for parameter in bound
        }
    return True


def _finding(registered: Registration, effect: Effect) -> Finding:
    site = effect.path[0].site if effect.path else effect.site
    return Finding(
        RULES[effect.code],
        registered.function.name,
        registered.kind,
        effect.root,
        _named(effect),
        site,
        effect.path,
        effect.site,
    )


def _named(effect: Effect) -> str:
    root, site = effect.root, effect.site
    if root.name == "self" and (
        attribute := _ATTRIBUTE.match(
            site.module.lines[site.line - 1].encode()[site.column :].decode()
        )
    ):
        return f"`{attribute[0]}`"
    return f"`{root.name}`" if root.name else "a file"
