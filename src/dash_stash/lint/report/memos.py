"""What is wrong with cached functions: results that depend on more than their arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from dash_stash.lint.effects.summary import CallStep, Effect
from dash_stash.lint.evaluation.analysis import Analysis
from dash_stash.lint.source.definitions import Function, Module
from dash_stash.lint.values.value import Root, Sort

_CHANGING: Final = (
    "time.time", "time.monotonic", "time.perf_counter", "time.strftime", "time.localtime",
    "datetime.datetime.now", "datetime.datetime.today", "datetime.datetime.utcnow",
    "datetime.date.today", "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "pandas.Timestamp.now", "pandas.Timestamp.today", "random.", "numpy.random.", "uuid.uuid1",
    "uuid.uuid4", "secrets.", "os.urandom", "os.getpid", "requests.", "httpx.",
    "urllib.request.", "urllib3.", "aiohttp.", "yfinance.", "pandas_datareader.", "socket.",
    "pandas.read_sql", "sqlite3.connect", "psycopg2.connect", "psycopg.connect",
    "pymysql.connect", "pyodbc.connect", "sqlalchemy.create_engine", "duckdb.connect",
    "duckdb.sql", "duckdb.query", "pymongo.MongoClient", "polars.read_database", "boto3.",
    "snowflake.connector.connect",
)  # fmt: skip
"""What differs from call to call: the clock, random numbers, networks, databases."""


def memo_effects(
    analysis: Analysis, modules: Iterable[Module]
) -> Iterator[tuple[Function, Effect]]:
    """Return what the cached functions of the modules do, or depend on, that they should not."""
    mutated = mutated_objects(analysis)
    reached = _reached(analysis)
    for module in modules:
        for function in list(module.functions.values()):
            if function.memo == "memo" or (function.memo == "lasting" and function in reached):
                yield from (
                    (function, effect) for effect in _dependencies(analysis, function, mutated)
                )
            if function.memo == "memo":
                yield from ((function, effect) for effect in _mutations(analysis, function))


def mutated_objects(analysis: Analysis) -> set[Root]:
    """Return the module-level objects that some function changes."""
    effects = (effect for each in analysis.known() for effect in each.effects.values())
    return {
        replace(effect.root, part=False)
        for effect in effects
        if effect.root.sort in {Sort.GLOBAL, Sort.CLASS} and effect.code != "DS113"
    }


def _mutations(analysis: Analysis, function: Function) -> Iterator[Effect]:
    for effect in analysis.summary(function).effects.values():
        if effect.root.sort not in {Sort.PARAMETER, Sort.CAPTURED}:
            yield effect


def _reached(analysis: Analysis) -> set[Function]:
    """Return the functions that callbacks call, at any depth."""
    reached: set[Function] = set()
    waiting = list(analysis.registrations)
    while waiting:
        function = waiting.pop()
        if function not in reached:
            reached.add(function)
            waiting += analysis.summary(function).calls
    return reached


def _dependencies(analysis: Analysis, memo: Function, mutated: set[Root]) -> Iterator[Effect]:
    """Return what a cached function reads besides its arguments, with the shortest way to it."""
    seen, told = {memo}, set[Root]()
    waiting: list[tuple[Function, tuple[CallStep, ...]]] = [(memo, ())]
    for function, path in waiting:  # it grows while we go
        summary = analysis.summary(function)
        for root, site in summary.reads.items():
            if (root in mutated or root.sort is Sort.FOREIGN) and root not in told:
                told.add(root)
                yield Effect("DS113", root, site, path=path)
        if memo.memo == "lasting":
            for name, site in summary.foreign_calls.items():
                if name.startswith(_CHANGING):
                    yield Effect("DS110", Root(Sort.FOREIGN, memo.name), site, path=path)
        for callee, site in summary.calls.items():
            if callee not in seen:
                seen.add(callee)
                waiting.append((callee, (*path, CallStep(site, callee.name))))
