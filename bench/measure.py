"""Timing that holds on a shared machine: contenders take turns, medians are quoted, ratios are taken round by round."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One demand and what was measured."""

    what: str
    measured: float
    limit: float
    unit: str = "x"
    times: dict[str, float] = field(default_factory=dict)
    """Median seconds of each contender."""

    @property
    def holds(self) -> bool:
        """Whether the demand is met."""
        return self.measured <= self.limit

    @staticmethod
    def header() -> str:
        """The table's first lines."""
        return f"{'':52} {'measured':>10} {'at most':>9}\n{'-' * 84}"

    def __str__(self) -> str:
        verdict = "ok" if self.holds else "FALLS SHORT"
        lines = [f"{self.what:52} {self.measured:>8.3g} {self.unit:2} {self.limit:>6.3g} {self.unit:2}  {verdict}"]
        lines += [f"    {name:44} {_readable(seconds):>14}" for name, seconds in self.times.items()]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """The row as JSON takes it."""
        return {**self.__dict__, "holds": self.holds}


def _readable(seconds: float) -> str:
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds * 1e6:.2f} µs"


@dataclass(frozen=True)
class Timed:
    """What the contenders took, round by round."""

    rounds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """Median seconds of one contender."""
        return statistics.median(self.rounds[name])

    def ratio(self, name: str, other: str) -> float:
        """Median of the ratios of two contenders within each round."""
        return statistics.median(a / b for a, b in zip(self.rounds[name], self.rounds[other], strict=True))

    def difference(self, name: str, other: str) -> float:
        """Difference of the medians of two contenders, in seconds."""
        return self.median(name) - self.median(other)

    def medians(self) -> dict[str, float]:
        """Median seconds of all contenders."""
        return {name: self.median(name) for name in self.rounds}


def race(contenders: dict[str, Callable[[], object]], rounds: int, repeat: int = 1) -> Timed:
    """Let the contenders take turns, in another order each round; each turn is the mean of *repeat* calls, in seconds."""
    for call in contenders.values():
        call()
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            random.shuffle(order)
            for name in order:
                call = contenders[name]
                began = time.perf_counter()
                for _ in range(repeat):
                    call()
                measured[name].append((time.perf_counter() - began) / repeat)
    finally:
        gc.enable()
    return Timed(measured)
