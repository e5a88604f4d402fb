"""Mutation testing: whether a test fails when the code does something else.

mutmut makes the mutants. A seeded sample of them runs, each in a copy of the tree and against the
tests that mutants.toml names for its module. mutmut's own runner was rejected: it forks a process
that has loaded everything, which the threads of Polars do not survive, and it calls functions
through wrappers, which a library that reads the code of functions notices.

The results are kept in .mutants, so that a run that was stopped goes on where it was. A killed
mutant stays killed while its module stays the same; a survivor runs again when its tests change.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib.util
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import click
import libcst
from mutmut.mutation.file_mutation import create_mutations

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "dash_stash"
WANTED = 95.0  # per cent

PYTEST = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0")
PASSED = 0  # pytest's exit status; all others say that somebody noticed


@dataclass(frozen=True)
class Module:
    """A module to mutate, and the tests that have to notice."""

    path: str
    source: str
    tests: tuple[str, ...]
    source_digest: str
    tests_digest: str


@dataclass(frozen=True)
class Mutant:
    """A module with one change."""

    module: Module
    line: int
    change: str
    """The lines that it takes out, after "-", and puts in, after "+"."""
    code: str

    def rank(self, seed: int) -> str:
        """Return where it stands in the order of *seed*, whatever changes elsewhere."""
        return _digest(f"{seed} {self.module.path} {self.change}")


def _read(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def modules_of(table: dict[str, list[str]], wanted: Sequence[str]) -> Iterator[Module]:
    """The modules of the table: all, or those whose paths begin with one of *wanted*."""
    for pattern, tests in table.items():
        paths = sorted(PACKAGE.glob(pattern))
        missing = [test for test in tests if not (ROOT / test).exists()]
        if missing or not paths:
            raise click.ClickException(f"mutants.toml: {pattern}: there is no {missing or pattern}")
        texts = "".join(_read(ROOT / test) for test in tests)
        for path in paths:
            if not wanted or str(path.relative_to(PACKAGE)).startswith(tuple(wanted)):
                name, source = str(path.relative_to(ROOT)), _read(path)
                yield Module(name, source, tuple(tests), _digest(source), _digest(texts))


def mutants_of(module: Module) -> Iterator[Mutant]:
    """All mutants of a module but those that say the same in other words."""
    tree, mutations, *_ = create_mutations(module.path, module.source)
    made = set()
    for mutation in mutations:
        if _is_prose(mutation.original_node):
            continue
        code = _replaced(tree, mutation.original_node, mutation.mutated_node)
        line, change = _change(module.source, code)
        if change not in made:  # one of two alike, in functions of like lines, is enough
            made.add(change)
            yield Mutant(module, line, change, code)


def _is_prose(node: libcst.CSTNode) -> bool:
    """Whether it is a text for people, or SQL, to which capitals and small letters are one."""
    return isinstance(node, libcst.SimpleString) and " " in node.value


def _replaced(tree: libcst.Module, old: libcst.CSTNode, new: libcst.CSTNode) -> str:
    return libcst.ensure_type(tree.deep_replace(old, new), libcst.Module).code


def _change(before: str, after: str) -> tuple[int, str]:
    """Return the first line that differs, and the lines taken out and put in."""
    diff = [*difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")][2:]
    line = int(diff[0].split()[1].lstrip("-").partition(",")[0])
    return line, "\n".join(text for text in diff if not text.startswith("@@"))


class Tree:
    """A copy of the working tree, for one worker."""

    def __init__(self, place: pathlib.Path) -> None:
        self._root = place
        listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard")
        names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(lambda name: (ROOT / name).is_file(), names.splitlines()):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)

    def run(self, module: Module, code: str, limit: float) -> str:
        """Run the module's tests with *code* in its place: "survived", "killed" or "timed out"."""
        path = self._root / module.path
        # Python trusts compiled code of the same size and second, which mutants may have.
        pathlib.Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
        path.write_text(code, encoding="utf-8")
        try:
            return self._tested(module.tests, limit)
        finally:
            path.write_text(module.source, encoding="utf-8")

    def _tested(self, tests: Sequence[str], limit: float) -> str:
        log = self._root / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, *PYTEST, "-m", "not slow", *tests],
                cwd=self._root,
                env={**os.environ, "PYTHONPATH": str(self._root / "src")},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                return "survived" if process.wait(limit) == PASSED else "killed"
            except subprocess.TimeoutExpired:
                return "timed out"
            finally:
                _end(process)

    def log(self) -> str:
        """Return what the last run printed."""
        return _read(self._root / "log")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a run: pytest first, which ends the processes that its test has started."""
    for sign in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, sign)
            process.wait(10)


class Results:
    """What each mutant came to, in a file that outlives the run."""

    def __init__(self, path: pathlib.Path) -> None:
        path.parent.mkdir(exist_ok=True)
        self._path = path
        self._known: dict[tuple[str, ...], dict[str, str]] = {}
        if path.exists():
            for line in _read(path).splitlines():
                self._remember(json.loads(line))

    def _remember(self, result: dict[str, str]) -> None:
        self._known[result["module"], result["source"], result["change"]] = result

    def of(self, mutant: Mutant) -> str | None:
        """Return what is still true of *mutant*, or nothing."""
        module = mutant.module
        result = self._known.get((module.path, module.source_digest, mutant.change))
        if result is None:
            return None
        is_open = result["outcome"] == "survived" and result["tests"] != module.tests_digest
        return None if is_open else result["outcome"]

    def add(self, mutant: Mutant, outcome: str) -> None:
        """Note what *mutant* has come to."""
        module = mutant.module
        result = {
            "module": module.path,
            "source": module.source_digest,
            "tests": module.tests_digest,
            "change": mutant.change,
            "outcome": outcome,
        }
        self._remember(result)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")


class Workers:
    """Run mutants at once, each in a tree that no other uses meanwhile."""

    def __init__(self, trees: list[Tree]) -> None:
        self._free: queue.SimpleQueue[Tree] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(len(trees))
        for tree in trees:
            self._free.put(tree)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End; after an error or Ctrl-C, without what has not begun."""
        self._threads.shutdown(cancel_futures=True)

    @contextlib.contextmanager
    def _tree(self) -> Iterator[Tree]:
        tree = self._free.get()
        try:
            yield tree
        finally:
            self._free.put(tree)

    def limits(self, modules: list[Module], longest: float) -> dict[tuple[str, ...], float]:
        """Return how long each set of tests may take; with an unchanged module they pass."""
        of_tests = {module.tests: module for module in modules}
        return dict(self._threads.map(lambda each: self._limit(each, longest), of_tests.values()))

    def _limit(self, module: Module, longest: float) -> tuple[tuple[str, ...], float]:
        with self._tree() as tree:
            began = time.monotonic()
            outcome = tree.run(module, module.source, longest)
            if outcome != "survived":
                raise click.ClickException(
                    f"{module.path}: without a change its tests {outcome}\n{tree.log()[-3000:]}"
                )
            return module.tests, min(longest, 10 + 4 * (time.monotonic() - began))

    def run(
        self, mutants: list[Mutant], limits: dict[tuple[str, ...], float], results: Results
    ) -> None:
        """Run the mutants and note what they come to."""
        began = time.monotonic()

        def tried(mutant: Mutant) -> tuple[Mutant, str]:
            with self._tree() as tree:
                return mutant, tree.run(mutant.module, mutant.code, limits[mutant.module.tests])

        for number, (mutant, outcome) in enumerate(self._threads.map(tried, mutants), start=1):
            results.add(mutant, outcome)
            spent = time.monotonic() - began
            place = f"{mutant.module.path}:{mutant.line}"
            click.echo(f"{number}/{len(mutants)} {spent:.0f} s {outcome}: {place}")


def report(sample: list[Mutant], results: Results, equivalent: list[dict[str, str]]) -> bool:
    """Print the survivors and the score; return whether it is what is wanted."""
    outcomes = {mutant: results.of(mutant) for mutant in sample}
    excused = {(item["module"], item["change"].strip("\n")): item["why"] for item in equivalent}
    survivors = [mutant for mutant in sample if outcomes[mutant] == "survived"]
    unexcused = [each for each in survivors if (each.module.path, each.change) not in excused]
    for mutant in unexcused:
        click.echo(f"\n{mutant.module.path}:{mutant.line}\n{mutant.change}")
    killed, late = len(sample) - len(survivors), [*outcomes.values()].count("timed out")
    score = 100 * killed / max(1, len(sample))
    click.echo(
        f"\n{killed} of {len(sample)} mutants killed ({late} by their time limit): {score:.1f} %"
    )
    click.echo(f"Wanted: {WANTED:.0f} %, and why each survivor is equivalent, in mutants.toml.")
    click.echo(f"Survivors there: {len(survivors) - len(unexcused)}; others: {len(unexcused)}.")
    return score >= WANTED and not unexcused


@click.command()
@click.argument("wanted", nargs=-1)
@click.option("--sample", "size", type=int, help="How many mutants.")
@click.option("--seed", type=int, help="Which ones.")
@click.option("--workers", type=int, help="How many run at once.")
@click.option("--list", "only_list", is_flag=True, help="Run none; say how many there are.")
def main(
    wanted: tuple[str, ...],
    size: int | None,
    seed: int | None,
    workers: int | None,
    *,
    only_list: bool,
) -> None:
    """Run a sample of the mutants of all modules, or of those whose paths begin with WANTED."""
    os.chdir(ROOT)  # mutmut reads its settings there
    settings: dict[str, Any] = tomllib.loads(_read(ROOT / "tools" / "mutants.toml"))
    modules = [*modules_of(settings["modules"], wanted)]
    mutants = [mutant for module in modules for mutant in mutants_of(module)]
    order = settings["seed"] if seed is None else seed
    sample = sorted(mutants, key=lambda mutant: mutant.rank(order))[: size or settings["sample"]]
    click.echo(f"{len(mutants)} mutants of {len(modules)} modules; of these {len(sample)}")
    if only_list:
        return
    made = {(mutant.module.path, mutant.change) for mutant in mutants}
    paths = {module.path for module in modules}
    for item in settings["equivalent"]:
        if item["module"] in paths and (item["module"], item["change"].strip("\n")) not in made:
            raise click.ClickException(f"mutants.toml: no such mutant any more:{item['change']}")
    results = Results(ROOT / ".mutants" / "results.jsonl")
    left = [mutant for mutant in sample if results.of(mutant) is None]
    if left:
        with tempfile.TemporaryDirectory() as place:
            count = workers or settings["workers"]
            affected = sorted({mutant.module for mutant in left}, key=lambda module: module.path)
            with Workers([Tree(pathlib.Path(place) / str(n)) for n in range(count)]) as crew:
                crew.run(left, crew.limits(affected, settings["limit"]), results)
    if not report(sample, results, settings["equivalent"]):
        sys.exit(1)


if __name__ == "__main__":
    main()
