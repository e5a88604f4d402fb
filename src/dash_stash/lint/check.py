"""Checks files and folders: the linter as one function."""

from __future__ import annotations

import contextlib
import gc
import os
import pathlib
from collections.abc import Iterator, Sequence

from dash_stash.lint.evaluation.analysis import Analysis
from dash_stash.lint.report.config import Config
from dash_stash.lint.report.findings import Report, find
from dash_stash.lint.report.suppress import is_suppressed
from dash_stash.lint.source import discover
from dash_stash.lint.source.definitions import Module
from dash_stash.lint.source.program import Program


def check(paths: Sequence[pathlib.Path | str], config: Config | None = None) -> Report:
    """Read the files under *paths*, without running them, and report on their callbacks."""
    with _collector_paused():
        return _checked(paths, config or Config())


def _checked(paths: Sequence[pathlib.Path | str], config: Config) -> Report:
    program = Program()
    modules: list[Module] = []
    for given in map(pathlib.Path, paths):
        program.add_root(_absolute(given if given.is_dir() else given.parent))
        for file in discover.files(given, config.exclude):
            module = program.load(str(_absolute(file)), os.path.normpath(file))
            if module is not None and module not in modules and not discover.is_test(file, given):
                modules.append(module)
    analysis = Analysis(program)
    analysis.follow_all(modules)
    findings = [
        finding
        for finding in find(analysis, modules)
        if config.reports(finding) and not is_suppressed(finding)
    ]
    return Report(findings, sorted(program.unreadable, key=lambda each: each.path), modules)


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep Python from looking for garbage.

    Syntax trees live to the end, and going through them took a third of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _absolute(path: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(os.path.abspath(path))
