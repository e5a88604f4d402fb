"""What the guard reports: a shared variable that changed, and what to do instead."""

from __future__ import annotations

from dataclasses import dataclass

from dash_stash.guard.blame import LikelyCause
from dash_stash.guard.fingerprints.base import (
    Change,
    CompositeFingerprint,
    Fingerprint,
    ImmutableFingerprint,
    Unwatched,
    describe,
)
from dash_stash.guard.fingerprints.containers import (
    MappingFingerprint,
    SequenceFingerprint,
    SetFingerprint,
)
from dash_stash.guard.fingerprints.tables import ArrayFingerprint, TableFingerprint
from dash_stash.guard.source import SourceLine
from dash_stash.guard.variables import ABSENT, SharedVariable

_SEEN_BY = (
    "Every visitor of this worker process sees the change; "
    "those of other workers, and after a restart, do not."
)


@dataclass(frozen=True)
class SharedChange:
    """A variable outside a callback's scope that was changed while the callback ran."""

    outputs: str
    """What the callback updates: `graph.figure`."""

    function: str
    line: SourceLine
    """Where the callback is written."""

    variable: str
    """With the path inside: `data.df` or `app.state["rows"]`."""

    what: str
    """Before and after, in a few words."""

    cause: LikelyCause | None
    """The line that did it, if the app's code shows it."""

    others: tuple[str, ...]
    """Callbacks that ran at the same time and can change it."""

    advice: str

    @property
    def title(self) -> str:
        """What happened, in one line."""
        return f"{self.function}() ran and {self.variable} changed: {self.what}"

    def __str__(self) -> str:
        callback = f"{self.function}()"
        lines = [
            f"{self.variable} was changed while the callback {callback} ran: {self.what}.",
            f"  callback: {self.outputs}, {callback} at {self.line}",
            *self._suspects(),
            _SEEN_BY,
            f"Instead: {self.advice}",
        ]
        return "\n".join(lines)

    def _suspects(self) -> list[str]:
        lines = []
        if self.cause is not None:
            lines += [
                f"  changed at: {self.cause.line}: {self.cause.line.text}",
                f"  {self.cause.rule}, see: dash-stash check --explain {self.cause.rule}",
            ]
        if self.others:
            lines.append(f"  ran at the same time, and can change it: {', '.join(self.others)}")
        return lines


def rebinding(before: object, after: object, found: list[Change]) -> Change:
    """Return the change of a variable that got another object.

    The arguments are its fingerprints, and the changes between them.
    """
    if before == ABSENT:
        return Change("", f"set to {describe(after)}")
    if after == ABSENT:
        return Change("", f"deleted, was {describe(before)}")
    text = f"rebound from {describe(before)} to {describe(after)}"
    details = ", ".join(change.what for change in found if not change.path)
    return Change("", f"{text} ({details})" if details and _are_alike(before, after) else text)


def _are_alike(before: object, after: object) -> bool:
    return (
        isinstance(before, Fingerprint)
        and isinstance(after, Fingerprint)
        and before.kind == after.kind
    )


def advice(name: str, variable: SharedVariable, before: object, after: object) -> str:
    """Return how to do with dash-stash what the app's code does to the variable."""
    if variable.name == "environ":
        return (
            "set it before the server starts, and pass what differs between visitors "
            "as an argument."
        )
    is_known = before is not None and before != ABSENT and not isinstance(before, Unwatched)
    known = before if is_known else after
    known = known.content if isinstance(known, CompositeFingerprint) else known
    if isinstance(known, TableFingerprint | ArrayFingerprint | ImmutableFingerprint):
        return (
            f"change a copy ({name} = {name}.copy()), and hand it to other callbacks "
            f"as a reference: return stash.put({name}), or make it in a @stash.memo function."
        )
    if isinstance(known, SequenceFingerprint | SetFingerprint | MappingFingerprint):
        return (
            f"keep what is one visitor's in stash.session[\"{name}\"], what is everybody's in "
            f'stash.app["{name}"] (changed by stash.app.modify), results in a @stash.memo '
            "function; or change a copy."
        )
    if isinstance(known, int | float) and not isinstance(known, bool):
        return (
            f'stash.app.modify("{name}", lambda {name}: {name} + 1, default=0) for all visitors, '
            "stash.session.modify for each."
        )
    return (
        f'stash.session["{name}"] = ... for each visitor, '
        f'stash.app["{name}"] = ... for all of them.'
    )
