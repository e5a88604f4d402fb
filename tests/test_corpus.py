"""The linter's quality is a figure: its precision and recall over small apps with labels.

An app is a file, or a folder of several, in `tests/corpus`. `# expect: DS104` labels each line
where a finding must be: in the callback, layout or memo function, where the change is made or
where the call that leads to it starts. Two codes on a line mean two findings there. The labels
were written by meaning. A memo function that depends on a variable is labelled where it first
reads it.
"""

from __future__ import annotations

import pathlib
import re
from collections import Counter
from dataclasses import dataclass

import pytest

from dash_stash.lint.check import check
from dash_stash.lint.report.rules import RULES

_CORPUS = pathlib.Path(__file__).parent / "corpus"
_PAGE = pathlib.Path(__file__).parent.parent / "docs" / "check.md"
_LABEL = re.compile(r"# expect: ((?:DS\d{3}(?:, )?)+)$")

Place = tuple[str, int, str]


@dataclass(frozen=True)
class Score:
    """How a rule's findings compare with its labels."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong or 1)

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed or 1)

    def row(self, name: str) -> str:
        return f"| {name} | {self.right + self.missed} | {self.precision:.2f} | {self.recall:.2f} |"


def _labels() -> Counter[Place]:
    found: Counter[Place] = Counter()
    for path in _CORPUS.rglob("*.py"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            label = _LABEL.search(line)
            codes = label[1].split(", ") if label else []
            assert codes or "expect:" not in line, f"{path}:{number}: no label"
            found.update((str(path.relative_to(_CORPUS)), number, code) for code in codes)
    return found


def _findings() -> Counter[Place]:
    report = check([_CORPUS])
    assert not report.unreadable
    return Counter(
        (str(each.site.module.path.relative_to(_CORPUS)), each.site.line, each.rule.code)
        for each in report.findings
    )


@pytest.fixture(scope="module")
def compared() -> tuple[Counter[Place], Counter[Place]]:
    """What must be reported, and what is."""
    return _labels(), _findings()


@pytest.fixture(scope="module")
def scores(compared: tuple[Counter[Place], Counter[Place]]) -> dict[str, Score]:
    found = {}
    for code in [*RULES, "DS"]:
        expected, reported = (
            {place: n for place, n in counter.items() if place[2].startswith(code)}
            for counter in compared
        )
        right = (Counter(expected) & Counter(reported)).total()
        found[code] = Score(right, sum(reported.values()) - right, sum(expected.values()) - right)
    return found


def test_the_corpus_is_large_enough(scores: dict[str, Score]) -> None:
    apps = [
        path
        for path in _CORPUS.iterdir()
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
    ]
    assert len(apps) >= 150
    assert {code: score for code, score in scores.items() if score.right + score.missed < 25} == {}


def test_precision_and_recall_are_at_least_98_percent_for_each_rule_and_in_total(
    scores: dict[str, Score], compared: tuple[Counter[Place], Counter[Place]]
) -> None:
    labels, findings = compared
    differences = [f"missed {place}" for place in sorted(labels - findings)] + [
        f"wrong {place}" for place in sorted(findings - labels)
    ]
    print("\n".join([_table(scores), *differences]))
    assert {
        code: score for code, score in scores.items() if min(score.precision, score.recall) < 0.98
    } == {}


def test_the_documentation_has_the_figures(scores: dict[str, Score]) -> None:
    assert _table(scores) in _PAGE.read_text()


def _table(scores: dict[str, Score]) -> str:
    rows = [score.row("all" if code == "DS" else code) for code, score in scores.items()]
    return "\n".join(["| code | labels | precision | recall |", "| --- | --- | --- | --- |", *rows])
