"""What a function does: a changed helper or constant makes it another, another layout does not."""

from __future__ import annotations

import importlib
import os
import pathlib
import subprocess
import sys
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dash_stash import implementation, origin

Deploy = Callable[..., types.FunctionType]
Files = dict[str, str]


@pytest.fixture
def deploy(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploy]:
    """Write an app into a folder of its own, import it, and return its function `f`."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    deployed = 0

    def forget() -> None:
        for name in set(sys.modules) - before:
            if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]

    def load(files: Files, module: str = "app") -> types.FunctionType:
        nonlocal deployed
        forget()
        deployed += 1
        folder = tmp_path / f"release{deployed}"
        write(folder, files)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(folder))
            function: types.FunctionType = importlib.import_module(module).f
            implementation.of_function(function)
        return function

    yield load
    forget()


def write(folder: pathlib.Path, files: Files) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


APP: Files = {
    "app.py": '''
        import collections
        import dataclasses
        import enum
        import functools
        from typing import NamedTuple

        import config
        import texts.words
        from config import LIMIT
        from helpers import *
        from helpers import clean as cleaned

        RATE = 2
        TABLE = {"a": [1, 2], "b": (RATE * 3, "x")}
        NAMES = "one two".split()
        DERIVED = {name: len(name) for name in NAMES}
        FROZEN = frozenset({"p", "q", "r"})
        CACHE = {}

        class Mode(enum.Enum):
            FAST = 1

        class Base:
            def shared(self):
                return 10

        class Loader(Base):
            """Loads."""
            where = "/data"

            def load(self, n):
                return self.shared() + self.where.count("a") + n

            @property
            def size(self):
                return 20

            @staticmethod
            def fixed():
                return 30

            @classmethod
            def made(cls):
                return 40

        @dataclasses.dataclass
        class Settings:
            depth: int = 50

        class Point(NamedTuple):
            x: int = 60

        def twice(function):
            @functools.wraps(function)
            def run(*args):
                return function(*args) * 70
            return run

        def times(k):
            def decorate(function):
                def run(*args):
                    return function(*args) * k
                return run
            return decorate

        @twice
        def decorated(n):
            return n + 80

        @times(90)
        def scaled(n):
            return n + 100

        @functools.lru_cache
        def cached(n):
            return n + 110

        @functools.singledispatch
        def shown(n):
            return n

        @shown.register
        def _(n: int):
            return n + 115

        def with_default(n, step=120, *, key=lambda n: n + 130):
            return key(n) + step

        def even(n):
            return n == 0 or odd(n - 1)

        def odd(n):
            return n != 0 and even(n - 1 + 140 - 140)

        def f(n):
            """Say what it does."""
            import late
            from late import also
            def inner(m):
                return helper(m) + RATE
            CACHE[n] = n
            total = [inner(each) for each in range(n) if each]
            return (
                total, TABLE, config.SCALE, config.deep(n), LIMIT, cleaned(n), starred(n), texts.words.first(n),
                NAMES, DERIVED, FROZEN, Mode.FAST, Loader().load(n), Settings(), Point(), decorated(n), scaled(n),
                cached(n), shown(n), with_default(n), DISPATCH["up"](n), DISPATCH["bound"](n), even(n), late.wait(n), also(n),
            )

        def helper(n, m=0):  # defined later
            return second(n) + 150

        def second(n):
            return n + 160

        DISPATCH = {"up": lambda n: n + 170, "bound": functools.partial(helper, m=180)}

        def unrelated():
            return 190
    ''',
    "config.py": """
        SCALE = 200
        LIMIT = 210
        def deep(n):
            return n + OFFSET
        OFFSET = 220
    """,
    "helpers.py": """
        def clean(n):
            return n + 230
        def starred(n):
            return n + STEP
        STEP = 240
    """,
    "texts/__init__.py": "",
    "texts/words.py": """
        from . import base
        def first(n):
            return base.start(n) + 250
    """,
    "texts/base.py": """
        def start(n):
            return n + 260
    """,
    "late.py": """
        def wait(n):
            return n + 270
        def also(n):
            return n + 280
    """,
}
APP = {name: textwrap.dedent(text) for name, text in APP.items()}
NUMBERS = [
    *("return 10", "return 20", "return 30", "return 40", "int = 50", "int = 60", "* 70", "+ 80", "times(90", "+ 100", "+ 110"),
    *("+ 115", "step=120", "+ 130", "+ 140", "+ 150", "+ 160", "+ 170", "helper, m=180", "= 200", "= 210", "= 220", "+ 230"),
    *("= 240", "+ 250", "+ 260", "+ 270", "+ 280", "RATE = 2", '"a": [1', "FAST = 1"),
]
WORDS = [
    *(('"b": (RATE * 3, "x"', '"b": (RATE * 3, "y"'), ("one two", "one too"), ("len(name) for", "ord(name[0]) for")),
    *(('"q", "r"}', '"q", "s"}'), ('"/data', '"/date')),
]
MATTERS = [*((each, f"{each}1") for each in NUMBERS), *WORDS]


def edited(files: Files, old: str, new: str) -> Files:
    changed = {name: text.replace(old, new) for name, text in files.items()}
    assert changed != files, f"{old!r} is not in the app"
    return changed


@pytest.mark.parametrize(("old", "new"), MATTERS)
def test_whatever_the_function_does_or_reads_is_in_it(deploy: Deploy, old: str, new: str) -> None:
    first = implementation.of_function(deploy(APP))
    assert implementation.of_function(deploy(edited(APP, old, new))) != first
    assert implementation.of_function(deploy(APP)) == first


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return 190", "return 191"),
        ('"""Say what it does."""', '"""Say it otherwise."""'),
        ('"""Say what it does."""', "# nothing"),
        ('"""Loads."""', ""),
        ("# defined later", ""),
        ("def f(n):", "def f(n: int) -> object:"),
        ("def helper(n, m=0):", "\n\ndef helper(\n    n,\n    m=0,\n):"),
        ("for each in range(n) if each]", "\n for each in range(n)\n if each\n]"),
        ("CACHE = {}", "CACHE = {}\nimport os\nOTHER = os.environ"),
        ('"one two"', "'one two'"),
        ("def second(n):\n    return n + 160", "def second(n): return n + 160"),
        ('{"p", "q", "r"}', '{"r", "q", "p"}'),
        ("SCALE = 200", "SCALE = 2_00"),
    ],
)
def test_what_changes_no_result_is_not_in_it(deploy: Deploy, old: str, new: str) -> None:
    assert implementation.of_function(deploy(APP)) == implementation.of_function(deploy(edited(APP, old, new)))


def test_what_is_filled_at_run_time_is_told_and_is_not_in_it(deploy: Deploy) -> None:
    function = deploy(APP)
    before = implementation.of_function(function)
    function(3)
    assert implementation.of_function(function) == before
    assert implementation.unseen(function) == ["CACHE (app.py), which is changed at run time"]
