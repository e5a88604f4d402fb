"""What a function does: a changed helper or constant makes it another, another layout does not."""

from __future__ import annotations

import gc
import pathlib
import sys
import textwrap
import time
import types

import pytest

from dash_stash import implementation, origin
from dash_stash.implementation import syntax
from unit.deploying import PRINT, Deploy, Files, answer, edited, write
from unit.visiting import at_once

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
                total, TABLE, config.SCALE, config.deep(n), LIMIT, cleaned(n), starred(n),
                texts.words.first(n), NAMES, DERIVED, FROZEN, Mode.FAST, Loader().load(n),
                Settings(), Point(), decorated(n), scaled(n), cached(n), shown(n), with_default(n),
                DISPATCH["up"](n), DISPATCH["bound"](n), even(n), late.wait(n), also(n),
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
    *(
        "return 10",
        "return 20",
        "return 30",
        "return 40",
        "int = 50",
        "int = 60",
        "* 70",
        "+ 80",
        "times(90",
        "+ 100",
        "+ 110",
    ),
    *(
        "+ 115",
        "step=120",
        "+ 130",
        "+ 140",
        "+ 150",
        "+ 160",
        "+ 170",
        "helper, m=180",
        "= 200",
        "= 210",
        "= 220",
        "+ 230",
    ),
    *("= 240", "+ 250", "+ 260", "+ 270", "+ 280", "RATE = 2", '"a": [1', "FAST = 1"),
]
WORDS = [
    *(
        ('"b": (RATE * 3, "x"', '"b": (RATE * 3, "y"'),
        ("one two", "one too"),
        ("len(name) for", "ord(name[0]) for"),
    ),
    *(('"q", "r"}', '"q", "s"}'), ('"/data', '"/date')),
]
MATTERS = [*((each, f"{each}1") for each in NUMBERS), *WORDS]


@pytest.mark.parametrize(("old", "new"), MATTERS)
def test_whatever_the_function_does_or_reads_is_in_it(deploy: Deploy, old: str, new: str) -> None:
    first = implementation.of_function(deploy(APP))
    assert implementation.of_function(deploy(edited(APP, old, new))) != first
    assert implementation.of_function(deploy(APP)) == first


IMPORTS = {
    "a module of its own package": "from . import rates\n    return rates.g(n)",
    "a module of a package by name": "from shop import rates\n    return rates.g(n)",
    "a function of one": "from .rates import g\n    return g(n)",
    "by its dotted name": "import shop.rates\n    return shop.rates.g(n)",
    "from a package above": "from ..shop.rates import g\n    return g(n)",
}


@pytest.mark.parametrize("text", IMPORTS.values(), ids=IMPORTS)
@pytest.mark.parametrize("is_regular", [True, False], ids=["package", "namespace"])
def test_what_is_imported_within_a_function_is_in_it_before_it_has_run(
    tmp_path: pathlib.Path, text: str, *, is_regular: bool
) -> None:
    files = {
        "top/shop/app.py": f"def f(n):\n    {text}\n",
        "top/shop/rates.py": "def g(n):\n    return n + 5\n",
    }
    files = {
        name: each.replace("shop", "top.shop").replace("..top.", "..")
        for name, each in files.items()
    }
    write(
        tmp_path,
        {**files, **({"top/__init__.py": "", "top/shop/__init__.py": ""} if is_regular else {})},
    )
    start = "from top.shop.app import f"
    first = answer(tmp_path, "-c", f"{start}; {PRINT}")
    assert answer(tmp_path, "-c", f"{start}; f(1); {PRINT}") == first
    assert answer(tmp_path, "-c", f"import top.shop.rates; {start}; {PRINT}") == first
    (tmp_path / "top/shop/rates.py").write_text("def g(n):\n    return n + 6\n")
    assert answer(tmp_path, "-c", f"{start}; {PRINT}") != first


def test_a_module_that_is_being_imported_is_looked_at_again(tmp_path: pathlib.Path) -> None:
    early = (
        "import b\n"
        "from dash_stash import implementation\n"
        "def f(n):\n"
        "    return b.late(n) if n else b.K\n"
    )
    early += "if EARLY: implementation.of_function(f)\n"
    write(tmp_path, {"b.py": "import a\nK = 5\ndef late(n):\n    return n\n", "a.py": early})
    ways = [
        f"import builtins; builtins.EARLY = {early}; import b; from a import f; {PRINT}"
        for early in ("True", "False")
    ]
    assert answer(tmp_path, "-c", ways[0]) == answer(tmp_path, "-c", ways[1])


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
    assert implementation.of_function(deploy(APP)) == implementation.of_function(
        deploy(edited(APP, old, new))
    )


def test_what_is_filled_at_run_time_is_told_and_is_not_in_it(deploy: Deploy) -> None:
    function = deploy(APP)
    before = implementation.of_function(function)
    function(3)
    assert implementation.of_function(function) == before
    assert implementation.unseen(function) == ["CACHE (app.py), which is changed at run time"]


def test_every_way_to_start_an_app_sees_the_same(tmp_path: pathlib.Path) -> None:
    files = {
        **APP,
        "app.py": f"{APP['app.py']}\nif __name__ == '__main__':\n    {PRINT}\n",
        "job.py": f"from app import f\n{PRINT}\n",
    }
    write(tmp_path, files)
    ways = [
        answer(tmp_path, "app.py"),
        answer(tmp_path, "-m", "app"),
        answer(tmp_path, "job.py", PYTHONHASHSEED="1"),
        answer(tmp_path, "-O", "job.py", PYTHONHASHSEED="2"),
        answer(tmp_path, "-OO", "job.py"),
        answer(tmp_path, "-c", f"from app import f; f(2); {PRINT}"),
    ]
    assert len(set(ways)) == 1
    (tmp_path / "late.py").write_text(files["late.py"].replace("270", "271"))
    assert answer(tmp_path, "job.py") not in ways


def test_a_changed_library_makes_no_other_function(deploy: Deploy) -> None:
    library = {"site-packages/tool.py": "import os\nSTATE = [os]\ndef work(n):\n    return n\n"}
    path = "import sys, os\nsys.path.append(os.path.dirname(__file__) + '/site-packages')\n"
    app = {"app.py": f"{path}import tool\ndef f(n):\n    return tool.work(n)\n"}
    first = implementation.of_function(deploy({**library, **app}))
    assert first == implementation.of_function(
        deploy(edited({**library, **app}, "return n\n", "return -n\n"))
    )
    assert first != implementation.of_function(
        deploy(edited({**library, **app}, "tool.work", "tool.walk"))
    )


def test_an_app_is_one_wherever_it_is_installed(deploy: Deploy) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/app.py": (
            "from shop.rates import RATE\n"
            "from . import rates\n"
            "def f(n):\n"
            "    return RATE + rates.g(n)\n"
        ),
    }
    files["shop/rates.py"] = "RATE = [1]\ndef g(n):\n    return n + 2\n"
    installed = {f"site-packages/{name}": text for name, text in files.items()}
    start = {
        "start.py": (
            "import sys, os\n"
            "sys.path.append(os.path.dirname(__file__) + '/site-packages')\n"
            "from shop.app import f\n"
        )
    }
    here = implementation.of_function(deploy(files, "shop.app"))
    assert implementation.of_function(deploy({**installed, **start}, "start")) == here
    for old, new in (("[1]", "[2]"), ("+ 2", "+ 3")):
        assert (
            implementation.of_function(deploy({**edited(installed, old, new), **start}, "start"))
            != here
        )


def test_an_edited_file_is_not_taken_for_what_runs(deploy: Deploy, tmp_path: pathlib.Path) -> None:
    """A worker that was started before a deploy does what it did, whatever the file says now."""
    function = deploy(
        {
            "app.py": (
                "X = 1\ndef g():\n    return [n for n in range(1)]\ndef f():\n    return g(), X\n"
            )
        }
    )
    path = pathlib.Path(function.__code__.co_filename)
    for old, new in (("range(1)", "range(20)"), ("X = 1", "X = 20")):
        module = dict(vars(sys.modules["app"]))
        path.write_text(path.read_text().replace(old, new))
        running = types.FunctionType(function.__code__.replace(), module)
        later = implementation.of_function(running)
        assert later != implementation.of_function(deploy({"app.py": path.read_text()}))


def test_without_sources_helpers_and_plain_constants_are_seen(tmp_path: pathlib.Path) -> None:
    source = f"X = 1\nY = [1]\ndef g():\n    return 2\ndef f():\n    return g(), X, Y\n{PRINT}\n"
    seen = set()
    for old, new in (
        ("X = 1", "X = 1"),
        ("X = 1", "X = 3"),
        ("return 2", "return 3"),
        ("Y = [1]", "Y = [3]"),
    ):
        write(tmp_path, {"app.py": source.replace(old, new)})
        answer(tmp_path, "-m", "compileall", "-q", "-f", "-b", "app.py")
        (tmp_path / "app.py").unlink()
        seen.add(answer(tmp_path, "-c", "import app"))
    assert len(seen) == 3
    assert all("Y (app.pyc)" in each for each in seen)


def test_what_was_typed_in_is_looked_at_again(tmp_path: pathlib.Path) -> None:
    code = """
    from dash_stash import implementation
    seen = []
    RATE = 1
    def helper(): return 1
    def f(): return helper() + RATE
    look = lambda: seen.append(implementation.of_function(f))
    look(); look()
    RATE = 2
    look()
    def helper(): return 2
    look()
    def f(): return helper() + RATE
    look()
    print(len(seen), len(set(seen)), implementation.is_settled(f))
    """
    assert answer(tmp_path, "-c", textwrap.dedent(code)) == "5 3 False"


def test_only_the_first_use_in_a_long_module_reads_it(deploy: Deploy) -> None:
    body = "\n".join(
        (
            f"TABLE{n} = {{'a': [{n}, 2], 'b': 3}}\n"
            f"def g{n}(x):\n"
            f"    y = [each + {n} for each in x]\n"
            f"    return y + TABLE{n}['a']\n"
        )
        for n in range(500)
    )
    function = deploy({"app.py": f"{body}\ndef f(x):\n    return g1(x) + g2(x)\n"})
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        implementation.of_function(function)
    finally:
        sys.setprofile(None)
    assert calls < 100


def test_what_is_used_while_its_module_is_imported_is_looked_at_again(deploy: Deploy) -> None:
    source = (
        "from dash_stash import implementation\n"
        "def f():\n"
        "    return g()\n"
        "early = implementation.of_function(f)\n"
        "def g():\n"
        "    return 1\n"
    )
    function = deploy({"app.py": source})
    assert implementation.is_settled(function)
    assert implementation.of_function(function) != sys.modules["app"].early
    assert implementation.of_function(function) == implementation.of_function(
        deploy({"app.py": source.replace("early", "soon")})
    )


HALF_LOADED = {
    "gates.py": (
        "import threading\n"
        "reached, go, done = threading.Event(), threading.Event(), threading.Event()\n"
    ),
    "app.py": (
        "import dataclasses\nimport rates\n"
        "@dataclasses.dataclass(frozen=True)\nclass Unit:\n    name: str = 'm'\n"
        "    def factor(self):\n        import units\n        return units.FACTOR\n"
        "def f(n, unit=Unit()):\n    return rates.late(n) * unit.factor()\n"
    ),
    "rates.py": (
        "import app, gates\n"
        "gates.reached.set()\nassert gates.go.wait(60)\n"
        "def late(n):\n    return n + 5\n"
    ),
    "units.py": "import gates\ngates.go.set()\nassert gates.done.wait(60)\nFACTOR = 1\n",
}


@pytest.mark.parametrize("arguments", ["1", "n=1"])
def test_a_key_made_while_another_thread_imports_is_not_kept(
    tmp_path: pathlib.Path, arguments: str
) -> None:
    """The import ends between the look at the function and the look at its arguments."""
    write(tmp_path, HALF_LOADED)
    code = f"""
    import gates, sys, threading
    from dash_stash import Stash
    def load():
        import rates
        gates.done.set()
    threading.Thread(target=load).start()
    assert gates.reached.wait(60)
    f = sys.modules["app"].f
    stash = Stash(url="{tmp_path.as_uri()}/data", secret="a secret for the tests only")
    early = stash.memo(f)
    assert not gates.done.is_set()
    early({arguments})
    assert gates.done.is_set()
    early({arguments})
    print(stash.memo(f).peek({arguments}))
    """
    assert answer(tmp_path, "-c", textwrap.dedent(code)) == "6"


def test_a_thousand_functions_that_call_one_another_are_no_recursion(deploy: Deploy) -> None:
    chain = "\n".join(f"def g{n}():\n    return g{n + 1}()\n" for n in range(2000))
    first, second = (
        deploy({"app.py": f"def f():\n    return g0()\n{chain}def g2000():\n    return {end}\n"})
        for end in (1, 2)
    )
    assert implementation.of_function(first) != implementation.of_function(second)


def test_folders_of_libraries_are_not_the_app() -> None:
    assert not origin.is_app_file(textwrap.__file__)
    assert not origin.is_app_file(pytest.__file__)
    assert not origin.is_app_file(implementation.__file__)
    assert origin.is_app_file(__file__)


def test_threads_that_parse_at_the_same_time_do_not_fail() -> None:
    """Before Python 3.11.8, one that the collector interrupts disturbs the others."""
    text = "".join(
        f"def f{number}(a, b=[1, 2, (3, 4)]):\n    return [a + i * b[0] for i in range({number})]\n"
        for number in range(50)
    )
    gc.callbacks.append(let_others := lambda *_: time.sleep(0))
    try:
        callers = at_once(
            8, lambda _: [len(syntax.Source([text], "app.py").tree.body) for _ in range(3)]
        )
        assert [caller.result(120) for caller in callers] == [[50] * 3] * 8
    finally:
        gc.callbacks.remove(let_others)
