"""`python -m bench`: measure, print, and write bench/results/latest.json and hits.png."""

from __future__ import annotations

import argparse
import gc
import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

from bench import (
    callback,
    guarded,
    hits,
    machine,
    machines,
    many,
    memory,
    picture,
    sessions,
    starting,
    storing,
)
from bench.report import Section, table

_RESULTS = pathlib.Path(__file__).parent / "results"

_ALL: dict[str, Callable[..., Iterator[Section]]] = {
    "frames": hits.frames,
    "memory": memory.memory,
    "small": hits.small,
    "storing": storing.storing,
    "callback": callback.callback,
    "machines": machines.machines,
    "guard": guarded.guarded,
    "start": starting.starting,
    "many": many.many,
    "sessions": sessions.sessions,
    "soak": sessions.soak,
}


def main() -> int:
    """Measure what was asked for; return 1 if it is strict and a demand is not met."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="smaller sizes and fewer rounds, for a first look"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        choices=_ALL,
        default=_ALL,
        help=f"of {', '.join(_ALL)}",
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a demand is not met")
    parser.add_argument(
        "--folder", type=pathlib.Path, help="where everybody stores (default: the temporary folder)"
    )
    options = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="dash-stash-bench-") as name:
        folder = pathlib.Path(name)
        facts = machine.describe(folder)
        print("\n".join(f"{fact:>12}  {value}" for fact, value in facts.items()) + "\n")
        sections = []
        for only in options.only:
            for section in _ALL[only](folder, quick=options.quick):
                print(section, flush=True)
                sections.append(section)
        gc.collect()  # this ends the stores' janitors, which would write into the removed folder
    print(table(sections))
    _write(sections, facts, quick=options.quick)
    print(
        f"\n{time.perf_counter() - began:.0f} s; written to {_RESULTS.parent.name}/{_RESULTS.name}"
    )
    return int(
        options.strict
        and not all(demand.holds for section in sections for demand in section.demands)
    )


def _write(sections: list[Section], facts: dict[str, str], *, quick: bool) -> None:
    _RESULTS.mkdir(exist_ok=True)
    report = {
        "machine": facts,
        "quick": quick,
        "sections": [section.as_dict() for section in sections],
    }
    (_RESULTS / "latest.json").write_text(
        json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    picture.draw(sections, facts, _RESULTS / "hits.png")


if __name__ == "__main__":
    sys.exit(main())
