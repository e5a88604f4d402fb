"""Timing on a shared machine: contenders take turns, and are compared within each round."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Call = Callable[[], object]

_COLLECT_EVERY = 20


@dataclass(frozen=True)
class Spread:
    """What one contender took, in seconds."""

    median: float
    least: float
    lower: float
    """A quarter of the rounds took less."""

    upper: float
    """A quarter of the rounds took more."""


@dataclass(frozen=True)
class Timed:
    """Seconds of each contender, round by round."""

    rounds: dict[str, list[float]]

    def spreads(self) -> dict[str, Spread]:
        """Return the spread of each contender's times."""
        return {name: spread(values) for name, values in self.rounds.items()}

    def median(self, name: str) -> float:
        """Return one contender's median."""
        return statistics.median(self.rounds[name])

    def ratio(self, name: str, other: str) -> float:
        """Return the median over the rounds of one contender's time divided by another's."""
        return statistics.median(
            a / b for a, b in zip(self.rounds[name], self.rounds[other], strict=True)
        )

    def difference(self, name: str, other: str) -> float:
        """Return the median over the rounds of one contender's time less another's."""
        return statistics.median(
            a - b for a, b in zip(self.rounds[name], self.rounds[other], strict=True)
        )


def race(
    contenders: Mapping[str, Call],
    rounds: int,
    *,
    repeat: int = 1,
    undo: Mapping[str, Call] | None = None,
) -> Timed:
    """Time the contenders in turns.

    Each round has another order, and goes through it forward and back: so what changes meanwhile,
    and what a contender leaves in the processor's caches, affects all of them alike. Releasing what
    a call returns is part of its time.

    Args:
        contenders: What is called, by name. Each is called once beforehand.
        rounds: How many rounds.
        repeat: How many calls in a turn, of which the mean counts.
        undo: What is called after a contender's turn, untimed.
    """
    undoing = undo or {}
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    for name in order:
        _turn(contenders[name], undoing.get(name), 1)
    gc.disable()
    try:
        for number in range(rounds):
            # Not in every round: the first turn after it is slow.
            if number % _COLLECT_EVERY == 0:
                gc.collect()
            random.shuffle(order)
            turns = [
                (name, _turn(contenders[name], undoing.get(name), repeat))
                for name in (*order, *reversed(order))
            ]
            for name in order:
                measured[name].append(statistics.mean(took for turn, took in turns if turn == name))
    finally:
        gc.enable()
    return Timed(measured)


def _turn(call: Call, undo: Call | None, repeat: int) -> float:
    began = time.perf_counter()
    for _ in range(repeat):
        call()
    took = (time.perf_counter() - began) / repeat
    if undo is not None:
        undo()
    return took


def spread(values: list[float]) -> Spread:
    """Return how times are spread."""
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(median, min(values), lower, upper)
