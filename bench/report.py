"""What was measured, as people read it and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from bench.timing import Spread

_WIDTH = 98


@dataclass(frozen=True)
class Demand:
    """One demand of the project on its speed, and what was measured."""

    what: str
    measured: float
    limit: float
    unit: str = ""
    """What both are in: "µs", "copies"; nothing for a ratio."""

    @property
    def holds(self) -> bool:
        """Whether the demand is met."""
        return self.measured <= self.limit

    @property
    def verdict(self) -> str:
        """The same in words."""
        return "ok" if self.holds else "FALLS SHORT"

    def text(self, number: float) -> str:
        """Return a number of this demand for people: ratios below 1 as fractions."""
        if self.unit:
            return f"{number:.3g} {self.unit}"
        return f"1/{1 / number:.3g}" if 0 < number < 1 and self.limit < 1 else f"{number:.2f} x"


@dataclass(frozen=True)
class Section:
    """Contenders that were measured together, and the demands that this decides."""

    title: str
    demands: Sequence[Demand] = ()
    times: dict[str, Spread] = field(default_factory=dict)
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        lines = [self.title]
        if self.times:
            lines[0] += (
                f"{'median':>{62 - len(self.title)}}{'least':>12}   {'half of the rounds':>18}"
            )
        for name, spread in sorted(self.times.items(), key=lambda item: item[1].median):
            half = f"{duration(spread.lower)} to {duration(spread.upper)}"
            lines.append(
                f"  {name:48}{duration(spread.median):>12}{duration(spread.least):>12}   {half:>18}"
            )
        lines += [f"  ({note})" for note in self.notes]
        for demand in self.demands:
            measured, limit = demand.text(demand.measured), demand.text(demand.limit)
            lines.append(f"  {demand.what}: {measured}, at most {limit}: {demand.verdict}")
        return "\n".join(lines) + "\n"

    def as_dict(self) -> dict[str, object]:
        """Return the section as JSON takes it; times in seconds."""
        demands = [{**asdict(demand), "holds": demand.holds} for demand in self.demands]
        return {
            "title": self.title,
            "times": {name: asdict(s) for name, s in self.times.items()},
            "notes": [*self.notes],
            "demands": demands,
        }


def duration(seconds: float) -> str:
    """Return a time with three digits."""
    size, unit = next(
        ((size, unit) for size, unit in ((1.0, "s"), (1e-3, "ms")) if seconds >= size), (1e-6, "µs")
    )
    number = seconds / size
    return f"{number:.0f} {unit}" if number >= 100 else f"{number:.3g} {unit}"


def table(sections: Sequence[Section]) -> str:
    """Return all demands on one screen."""
    lines = [f"{'demand':58}{'measured':>13}{'at most':>13}", "-" * _WIDTH]
    for section in sections:
        if section.demands:
            lines += [section.title, *(_line(demand) for demand in section.demands)]
    return "\n".join(lines)


def _line(demand: Demand) -> str:
    measured, limit = demand.text(demand.measured), demand.text(demand.limit)
    return f"  {demand.what:56}{measured:>13}{limit:>13}  {demand.verdict}"
