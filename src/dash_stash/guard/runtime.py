"""The guard at run time: which variables outside of its scope a callback, or another one meanwhile, has changed."""

from __future__ import annotations

import inspect
import itertools
import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from dash_stash.guard import blame
from dash_stash.guard.blame import LikelyCause, SourceLine
from dash_stash.guard.fingerprints.base import (
    ArrayFingerprint,
    Change,
    CompositeFingerprint,
    Fingerprint,
    ImmutableFingerprint,
    MappingFingerprint,
    SequenceFingerprint,
    SetFingerprint,
    TableFingerprint,
    Unwatched,
    changes,
    words,
)
from dash_stash.guard.fingerprints.taking import Fingerprinter, OutOfTimeError
from dash_stash.guard.reach import ABSENT, OwnAttributes, Reach, SharedVariable, reach

_log = logging.getLogger("dash_stash")

BUDGET: Final = 0.020
"""So many seconds of work the fingerprints may take for one callback, before and after it together."""

_LOG_EVERY: Final = 60.0
_MOST_CHANGES: Final = 5
_MOST_LABELS: Final = 5
_ATTRIBUTE: Final = re.compile(r"\.(\w+)")
_TRIES: Final = 3
"""A variable that has cost a callback all its time so often, one time after the other, is left alone."""


@dataclass(frozen=True)
class SharedChange:
    """A variable outside of a callback's scope that was changed while the callback ran."""

    outputs: str
    """What the callback updates: `graph.figure`."""

    function: str
    place: SourceLine
    """Where the callback is written."""

    variable: str
    """With the path inside: `data.df` or `app.state["rows"]`."""

    what: str
    """Before and after, in a few words."""

    likely_cause: LikelyCause | None
    """The line that did it, and the rule that it breaks, if the callback's code shows it."""

    others: tuple[str, ...]
    """Callbacks that ran at the same time and can change it."""

    advice: str

    @property
    def title(self) -> str:
        """What happened, in one line."""
        return f"{self.function}() ran and {self.variable} changed: {self.what}"

    def __str__(self) -> str:
        lines = [
            f"{self.variable} was changed while the callback {self.function}() ran: {self.what}."
        ]
        lines.append(f"  callback: {self.outputs}, {self.function}() at {self.place}")
        if self.likely_cause is not None:
            lines.append(f"  changed at: {self.likely_cause.place}: {self.likely_cause.place.text}")
            lines.append(
                f"  {self.likely_cause.code}, see: dash-stash check --explain {self.likely_cause.code}"
            )
        if self.others:
            lines.append(f"  ran at the same time, and can change it: {', '.join(self.others)}")
        lines.append(
            "Every visitor of this worker process sees the change; those of other workers, and after a restart, do not."
        )
        return "\n".join([*lines, f"Instead: {self.advice}"])


class WatchedCallback:
    """One callback of the app, as the guard knows it."""

    def __init__(self, function: Callable[..., Any], outputs: str) -> None:
        """Take the function, with whatever decorators are around it, and the names of the properties that it updates."""
        self.function, self.outputs = function, outputs
        own = inspect.unwrap(function)
        self.name = getattr(own, "__name__", type(own).__name__)
        code = getattr(own, "__code__", None)
        self.place = (
            SourceLine("?", 0)
            if code is None
            else SourceLine(code.co_filename, code.co_firstlineno)
        )
        self._reach: Reach | None = None
        self._costs: dict[tuple[int, str], float] = {}
        self._misses: dict[tuple[int, str], int] = {}
        self._is_told = False

    def forget_reach(self) -> None:
        """Look anew, the next time, at what the code can reach: a variable may hold other functions now."""
        self._reach = None

    @property
    def reach(self) -> Reach:
        """What the callback's code can reach."""
        reached = self._reach  # another thread may be forgetting it
        if reached is None:
            reached = self._reach = reach(self.function)
        return reached

    def in_turn(self) -> list[SharedVariable]:
        """Return the variables to look at, those first that took little time when they were last looked at."""
        variables = [
            variable
            for variable in self.reach.variables
            if self._misses.get(variable.key, 0) < _TRIES
        ]
        return sorted(variables, key=lambda variable: self._costs.get(variable.key, 0.0))

    def took(self, variable: SharedVariable, seconds: float, *, was_in_time: bool) -> None:
        """Note how long a variable took."""
        self._costs[variable.key] = seconds
        self._misses[variable.key] = 0 if was_in_time else self._misses.get(variable.key, 0) + 1

    def tell_unchecked(self, unchecked: list[SharedVariable], budget: float) -> None:
        """Log, once, what there was no time for."""
        if unchecked and not self._is_told:
            self._is_told = True
            labels = ", ".join(variable.label for variable in unchecked[:_MOST_LABELS])
            if len(unchecked) > _MOST_LABELS:
                labels += f" and {len(unchecked) - _MOST_LABELS} more"
            _log.warning(
                "The guard has %.0f ms for each call of the callback %s() at %s, which is not enough for all that it can reach; "
                "changes of these are not noticed: %s",
                *(budget * 1000, self.name, self.place, labels),
            )


@dataclass(slots=True)
class _Snapshot:
    """What a variable was at one time."""

    variable: SharedVariable
    identity: int
    print: object


@dataclass(eq=False)
class WatchedRun:
    """One run of a callback."""

    guard: Guard
    callback: WatchedCallback
    spent: float = 0.0
    taken: list[_Snapshot] = field(default_factory=list)
    meanwhile: set[WatchedCallback] = field(default_factory=set)
    """The callbacks that ran at the same time, if only for a part of it."""

    def end(self) -> list[SharedChange]:
        """Return what has changed since the run began."""
        return self.guard._end(self)


class Guard:
    """Watches the runs of callbacks; any number of them at the same time, in any threads."""

    def __init__(
        self, budget: float = BUDGET, clock: Callable[[], float] = time.thread_time
    ) -> None:
        """Take how many seconds the fingerprints of one run may take, and a clock: that of the thread's work, whatever else runs."""
        self._budget, self._clock = budget, clock
        self._lock = threading.Lock()
        self._running: set[WatchedRun] = set()
        self._logged_at: dict[tuple[WatchedCallback, str], float] = {}

    def begin(self, callback: WatchedCallback) -> WatchedRun:
        """Note what the variables that the callback can reach are.

        Call `end()` of what is returned when it has run.
        """
        watch = WatchedRun(self, callback)
        try:
            variables = callback.in_turn()
        except Exception:  # noqa: BLE001 (whatever the app's objects do when they are looked at, its callback runs)
            _log.exception(
                "The guard cannot find out what the callback %s() at %s can reach",
                callback.name,
                callback.place,
            )
            return watch
        with self._lock:
            for other in self._running:
                other.meanwhile.add(callback)
                watch.meanwhile.add(other.callback)
            self._running.add(watch)
        began = self._clock()
        fingerprinter = Fingerprinter(began + self._budget / 2, self._clock)
        for position, variable in enumerate(variables):
            try:
                watch.taken.append(self._take(fingerprinter, callback, variable))
            except OutOfTimeError:
                callback.tell_unchecked(variables[position:], self._budget)
                break
            except Exception as error:  # noqa: BLE001 (comparing and copying runs the app's own code, which may raise anything)
                _log.debug("The guard cannot look at %s: %r", variable.label, error)
        watch.spent = self._clock() - began
        return watch

    def _end(self, watch: WatchedRun) -> list[SharedChange]:
        with self._lock:
            self._running.discard(watch)
        callback = watch.callback
        fingerprinter = Fingerprinter(self._clock() + self._budget - watch.spent, self._clock)
        findings = []
        for position, before in enumerate(watch.taken):
            try:
                found = self._compare(fingerprinter, watch, before)
            except OutOfTimeError:
                callback.tell_unchecked(
                    [taken.variable for taken in watch.taken[position:]], self._budget
                )
                break
            except Exception as error:  # noqa: BLE001 (as above)
                _log.debug("The guard cannot look at %s: %r", before.variable.label, error)
                continue
            findings += found
        if findings:
            callback.forget_reach()
        return findings

    def _take(
        self, fingerprinter: Fingerprinter, callback: WatchedCallback, variable: SharedVariable
    ) -> _Snapshot:
        began = self._clock()
        is_in_time = False
        try:
            value = variable.read()
            if type(value) is OwnAttributes:
                taken = _Snapshot(
                    variable, 0, fingerprinter.mapping(variable.name, value, "attribute")
                )
            else:
                taken = _Snapshot(variable, id(value), fingerprinter.take(value))
            is_in_time = True
        finally:
            callback.took(variable, self._clock() - began, was_in_time=is_in_time)
        return taken

    def _compare(
        self, fingerprinter: Fingerprinter, watch: WatchedRun, before: _Snapshot
    ) -> list[SharedChange]:
        variable = before.variable
        after = self._take(fingerprinter, watch.callback, variable)
        found = list(itertools.islice(changes(before.print, after.print), _MOST_CHANGES))
        return self._findings(watch, before, after, found) if found else []

    def _findings(
        self, watch: WatchedRun, before: _Snapshot, after: _Snapshot, found: list[Change]
    ) -> list[SharedChange]:
        callback, variable = watch.callback, before.variable
        suspects = [
            other
            for other in watch.meanwhile
            if other is not callback and _can_change(other, variable)
        ]
        # Whoever can have done it, and ran meanwhile, reports it when it has ended.
        if suspects and not blame.can_change(callback.reach, variable):
            return []
        if before.identity != after.identity:
            found = [_rebound(before.print, after.print, found)]
        others = tuple(f"{other.name}() at {other.place}" for other in suspects)
        by_path: dict[str, list[str]] = {}
        for path, what in found:
            by_path.setdefault(path, []).append(what)
        findings = []
        for path, whats in by_path.items():
            name = (
                _ATTRIBUTE.findall(path)[-1]
                if _ATTRIBUTE.search(path)
                else variable.name.rstrip("=.")
            )
            likely_cause = blame.likely_cause(
                callback.reach.functions, path, variable.name.rstrip("=."), name
            )
            advice = _advice(name, variable, before.print, after.print)
            label = variable.label + path
            findings.append(
                SharedChange(
                    callback.outputs,
                    callback.name,
                    callback.place,
                    label,
                    ", ".join(whats),
                    likely_cause,
                    others,
                    advice,
                )
            )
        return findings

    def log(self, callback: WatchedCallback, findings: list[SharedChange]) -> None:
        """Log what was found: the same variable of the same callback once a minute."""
        now = time.monotonic()
        for finding in findings:
            key = (callback, finding.variable)
            with self._lock:
                is_due = now - self._logged_at.get(key, float("-inf")) >= _LOG_EVERY
                if is_due:
                    self._logged_at[key] = now
            if is_due:
                _log.warning("%s", finding)


def _can_change(callback: WatchedCallback, variable: SharedVariable) -> bool:
    reached = callback.reach
    return any(other.key == variable.key for other in reached.variables) and blame.can_change(
        reached, variable
    )


def _rebound(before: object, after: object, found: list[Change]) -> Change:
    if before == ABSENT:
        return Change("", f"set to {words(after)}")
    if after == ABSENT:
        return Change("", f"deleted, was {words(before)}")
    details = [change.what for change in found if not change.path]
    text = f"rebound from {words(before)} to {words(after)}"
    is_same_kind = (
        isinstance(before, Fingerprint)
        and isinstance(after, Fingerprint)
        and before.kind == after.kind
    )
    return Change("", f"{text} ({', '.join(details)})" if details and is_same_kind else text)


def _advice(name: str, variable: SharedVariable, before: object, after: object) -> str:
    """How dash-stash does what was meant."""
    if variable.name == "environ":
        return "set it before the server starts, and pass what differs between visitors as an argument."
    known = after if before is None or before == ABSENT or isinstance(before, Unwatched) else before
    known = known.content if isinstance(known, CompositeFingerprint) else known
    if isinstance(known, TableFingerprint | ArrayFingerprint | ImmutableFingerprint):
        return (
            f"change a copy ({name} = {name}.copy()), and hand it to other callbacks as a reference: "
            f"return stash.put({name}), or make it in a @stash.memo function."
        )
    if isinstance(known, SequenceFingerprint | SetFingerprint | MappingFingerprint):
        return (
            f'keep what is one visitor\'s in stash.session["{name}"], what is everybody\'s in stash.app["{name}"] '
            "(changed by stash.app.modify), results in a @stash.memo function; or change a copy."
        )
    if isinstance(known, int | float) and not isinstance(known, bool):
        return f'stash.app.modify("{name}", lambda {name}: {name} + 1, default=0) for all visitors, stash.session.modify for each.'
    return f'stash.session["{name}"] = ... for each visitor, stash.app["{name}"] = ... for all of them.'
