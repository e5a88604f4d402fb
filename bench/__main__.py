"""`python -m bench`: measure, print a table, write JSON and a picture.

Options: --quick (smaller, for a first look), --only ROW ..., --strict (fail if a row falls short).
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import tempfile

from bench import machine, picture, rows
from bench.measure import Row

_RESULTS = pathlib.Path(__file__).parent / "results"


def main() -> int:
    """Run the rows that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer rounds")
    parser.add_argument("--only", nargs="+", metavar="ROW", choices=sorted(rows.ALL), help=f"of {', '.join(rows.ALL)}")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a row falls short")
    parser.add_argument("--folder", type=pathlib.Path, help="where the contenders store (default: the temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="dash-stash-bench-") as name:
        folder = pathlib.Path(name)
        facts = machine.describe(folder)
        print("\n".join(f"{name:>12}  {value}" for name, value in facts.items()), end="\n\n")
        results: list[Row] = []
        print(Row.header())
        for row in options.only or rows.ALL:
            for result in rows.ALL[row](folder, quick=options.quick):
                print(result, flush=True)
                results.append(result)
    _RESULTS.mkdir(exist_ok=True)
    report = {"machine": facts, "quick": options.quick, "rows": [row.as_dict() for row in results]}
    (_RESULTS / "latest.json").write_text(json.dumps(report, indent=2) + "\n")
    picture.draw(results, facts, _RESULTS / "hits.png")
    print(f"\nwritten: {_RESULTS.name}/latest.json and {_RESULTS.name}/hits.png, in {_RESULTS.parent.name}/")
    return 1 if options.strict and not all(row.holds for row in results) else 0


if __name__ == "__main__":
    sys.exit(main())
