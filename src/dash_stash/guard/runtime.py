"""The guard: watches callbacks, and finds the variables outside their scope that changed."""

from __future__ import annotations

import itertools
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from dash_stash.guard.blame import can_change, likely_cause
from dash_stash.guard.callback import WatchedCallback
from dash_stash.guard.fingerprints.base import Change, changes
from dash_stash.guard.fingerprints.fingerprinter import Fingerprinter, OutOfTimeError
from dash_stash.guard.fingerprints.taking import fingerprinter
from dash_stash.guard.report import SharedChange, advice, rebinding
from dash_stash.guard.variables import OwnAttributes, SharedVariable

_log = logging.getLogger("dash_stash")

T = TypeVar("T")

BUDGET: Final = 0.020
"""The seconds of work that all fingerprints for one call may take, before and after it together."""

_SECONDS_BETWEEN_LOGS: Final = 60.0
_MOST_CHANGES: Final = 5
_ATTRIBUTE: Final = re.compile(r"\.(\w+)")


@dataclass(slots=True)
class _Snapshot:
    """What a variable was at one moment."""

    variable: SharedVariable
    identity: int
    fingerprint: object


@dataclass(eq=False)
class WatchedRun:
    """One run of a callback."""

    guard: Guard
    callback: WatchedCallback
    spent: float = 0.0
    """The seconds that fingerprints have taken so far."""

    snapshots: dict[tuple[int, str], _Snapshot] = field(default_factory=dict)
    """What the variables were at the beginning, by their keys."""

    meanwhile: set[WatchedCallback] = field(default_factory=set)
    """The callbacks that ran during some part of this run."""

    def end(self) -> list[SharedChange]:
        """Return what has changed since the run began."""
        return self.guard._end(self)


class Guard:
    """Watches runs of callbacks: any number of them at the same time, in any threads."""

    def __init__(
        self, budget: float = BUDGET, clock: Callable[[], float] = time.thread_time
    ) -> None:
        """Take the seconds for the fingerprints of one run, and the clock that measures them.

        By default that is the processor time of the thread, however busy the machine is.
        """
        self._budget, self._clock = budget, clock
        self._lock = threading.Lock()
        self._running: set[WatchedRun] = set()
        self._logged_at: dict[tuple[WatchedCallback, str], float] = {}

    def begin(self, callback: WatchedCallback) -> WatchedRun:
        """Take a snapshot of each variable that the callback can reach.

        Call `end()` of the returned run when the callback has run.
        """
        run = WatchedRun(self, callback)
        try:
            variables = callback.in_turn()
        except Exception:  # noqa: BLE001 (its callback runs, whatever the app's objects raise)
            _log.exception("The guard cannot find out what the callback %s can reach", callback)
            return run
        self._add(run)
        began = self._clock()
        taking = fingerprinter(began + self._budget / 2, self._clock)
        for snapshot in self._look_at_each(
            callback, variables, lambda variable: self._snapshot(callback, variable, taking)
        ):
            run.snapshots[snapshot.variable.key] = snapshot
        run.spent = self._clock() - began
        return run

    def _add(self, run: WatchedRun) -> None:
        with self._lock:
            for other in self._running:
                other.meanwhile.add(run.callback)
                run.meanwhile.add(other.callback)
            self._running.add(run)

    def _end(self, run: WatchedRun) -> list[SharedChange]:
        with self._lock:
            self._running.discard(run)
        taking = fingerprinter(self._clock() + self._budget - run.spent, self._clock)
        variables = [snapshot.variable for snapshot in run.snapshots.values()]
        found = self._look_at_each(
            run.callback, variables, lambda variable: self._compare(run, variable, taking)
        )
        shared_changes = list(itertools.chain.from_iterable(found))
        if shared_changes:
            run.callback.forget_reach()
        return shared_changes

    def _look_at_each(
        self,
        callback: WatchedCallback,
        variables: list[SharedVariable],
        look: Callable[[SharedVariable], T],
    ) -> Iterator[T]:
        """Yield what *look* returns for each variable, until the time is used up."""
        for position, variable in enumerate(variables):
            try:
                seen = look(variable)
            except OutOfTimeError:
                callback.tell_unchecked(variables[position:], self._budget)
                return
            except Exception as error:  # noqa: BLE001 (as above)
                _log.debug("The guard cannot look at %s: %r", variable.label, error)
            else:
                yield seen

    def _snapshot(
        self, callback: WatchedCallback, variable: SharedVariable, taking: Fingerprinter
    ) -> _Snapshot:
        began = self._clock()
        is_in_time = False
        try:
            value = variable.read()
            if type(value) is OwnAttributes:
                snapshot = _Snapshot(variable, 0, taking.attributes(variable.name, value))
            else:
                snapshot = _Snapshot(variable, id(value), taking.take(value))
            is_in_time = True
        finally:
            callback.note_time(variable, self._clock() - began, was_in_time=is_in_time)
        return snapshot

    def _compare(
        self, run: WatchedRun, variable: SharedVariable, taking: Fingerprinter
    ) -> list[SharedChange]:
        before = run.snapshots[variable.key]
        after = self._snapshot(run.callback, variable, taking)
        all_changes = changes(before.fingerprint, after.fingerprint)
        found = list(itertools.islice(all_changes, _MOST_CHANGES))
        return _shared_changes(run, before, after, found) if found else []

    def log(self, callback: WatchedCallback, found: list[SharedChange]) -> None:
        """Log what was found: the same variable of the same callback once a minute."""
        now = time.monotonic()
        for change in found:
            key = (callback, change.variable)
            with self._lock:
                is_due = now - self._logged_at.get(key, float("-inf")) >= _SECONDS_BETWEEN_LOGS
                if is_due:
                    self._logged_at[key] = now
            if is_due:
                _log.warning("%s", change)


def _shared_changes(
    run: WatchedRun, before: _Snapshot, after: _Snapshot, found: list[Change]
) -> list[SharedChange]:
    variable = before.variable
    suspects = [
        other
        for other in run.meanwhile
        if other is not run.callback and _reaches_and_can_change(other, variable)
    ]
    # Whoever can have done it, and ran meanwhile, reports it when it ends.
    if suspects and not can_change(run.callback.reach, variable):
        return []
    if before.identity != after.identity:
        found = [rebinding(before.fingerprint, after.fingerprint, found)]
    by_path: dict[str, list[str]] = {}
    for path, what in found:
        by_path.setdefault(path, []).append(what)
    return [
        _shared_change(run.callback, before, after, path, what, suspects)
        for path, what in by_path.items()
    ]


def _reaches_and_can_change(callback: WatchedCallback, variable: SharedVariable) -> bool:
    reached = callback.reach
    return any(other.key == variable.key for other in reached.variables) and can_change(
        reached, variable
    )


def _shared_change(
    callback: WatchedCallback,
    before: _Snapshot,
    after: _Snapshot,
    path: str,
    what: list[str],
    suspects: list[WatchedCallback],
) -> SharedChange:
    variable = before.variable
    own_name = variable.name.rstrip("=.")
    name = [own_name, *_ATTRIBUTE.findall(path)][-1]
    return SharedChange(
        outputs=callback.outputs,
        function=callback.name,
        line=callback.line,
        variable=variable.label + path,
        what=", ".join(what),
        cause=likely_cause(callback.reach.functions, path, own_name, name),
        others=tuple(map(str, suspects)),
        advice=advice(name, variable, before.fingerprint, after.fingerprint),
    )
