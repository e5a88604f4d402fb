"""Which variables are constants: those are in the digest of a function, of others it is told."""

from __future__ import annotations

import pathlib

import pytest

from dash_stash import implementation
from unit.deploying import PRINT, Deploy, answer, edited, write

HELD = {
    "a default that is a list": "def h(n, o=[5]):\n    return n in o\ndef f(n):\n    return h(n)\n",
    "a named default that is a dict": (
        "def h(n, *, o={'a': 5}):\n    return o[n]\ndef f(n):\n    return h(n)\n"
    ),
    "what a decorator was given": (
        "def only(names):\n"
        "    def decorate(g):\n"
        "        def run(n):\n"
        "            return g(n) in names\n"
        "        return run\n"
        "    return decorate\n"
        "@only([5])\n"
        "def h(n):\n"
        "    return n\n"
        "def f(n):\n"
        "    return h(n)\n"
    ),
    "a dataclass in a class": (
        "import dataclasses\n"
        "@dataclasses.dataclass\n"
        "class S:\n"
        "    d: int = 0\n"
        "class C:\n"
        "    s = S(d=5)\n"
        "def f():\n"
        "    return C.s.d\n"
    ),
    "a named tuple in a class": (
        "from typing import NamedTuple\n"
        "class S(NamedTuple):\n"
        "    d: int = 0\n"
        "class C:\n"
        "    s = S(5)\n"
        "def f():\n"
        "    return C.s.d\n"
    ),
    "a partial in a class": (
        "import functools\n"
        "def h(o, n):\n"
        "    return n in o\n"
        "class C:\n"
        "    g = functools.partial(h, [5])\n"
        "def f(n):\n"
        "    return C.g(n)\n"
    ),
    "several names at once": "A, (B, C) = 1, (5, 3)\ndef f():\n    return B\n",
    "several names at once, in a class": "class C:\n    a, b = 1, 5\ndef f():\n    return C.b\n",
    "a name within an expression": "if (K := 5) > 1:\n    pass\ndef f():\n    return K\n",
    "a default of a model": (
        "from pydantic import BaseModel\n"
        "class S(BaseModel):\n"
        "    d: int = 5\n"
        "def f():\n"
        "    return S().d\n"
    ),
    "what a field says": (
        "import dataclasses\n"
        "@dataclasses.dataclass\n"
        "class S:\n"
        "    a: int = dataclasses.field(default=1, metadata={'u': 5})\n"
        "def f():\n    return dataclasses.fields(S)[0].metadata['u']\n"
    ),
    "a table's name": (
        "class T:\n    __tablename__ = 'flights5'\ndef f():\n    return T.__tablename__\n"
    ),
    "a read-only mapping": (
        "from types import MappingProxyType\n"
        "X = MappingProxyType({'a': 5})\n"
        "def f():\n"
        "    return X\n"
    ),
    "a namespace": (
        "from types import SimpleNamespace\nX = SimpleNamespace(a=5)\ndef f():\n    return X.a\n"
    ),
    "text without its margin": (
        "import textwrap\nX = textwrap.dedent('a5')\ndef f():\n    return X\n"
    ),
    "a pattern with flags": (
        "import re\nX = re.compile('a5', re.IGNORECASE)\ndef f(n):\n    return X.match(n)\n"
    ),
}


@pytest.mark.parametrize("source", HELD.values(), ids=HELD)
def test_data_that_code_holds_is_in_it(deploy: Deploy, source: str) -> None:
    first = implementation.of_function(deploy({"app.py": source}))
    assert implementation.of_function(deploy(edited({"app.py": source}, "5", "6"))) != first
    assert implementation.unseen(deploy({"app.py": source})) == []


def test_a_models_types_are_in_it(deploy: Deploy) -> None:
    files = {
        "app.py": (
            "from pydantic import BaseModel\n"
            "class S(BaseModel):\n"
            "    d: int\n"
            "def f(n):\n"
            "    return S(d=n).d\n"
        )
    }
    assert implementation.of_function(deploy(files)) != implementation.of_function(
        deploy(edited(files, "int", "float"))
    )


def test_the_order_of_a_set_is_not_in_it(tmp_path: pathlib.Path) -> None:
    sets = "X = {(name, lambda n, by=name: n) for name in 'abcdefgh'}\nY = {lambda: 1, lambda: 2}\n"
    write(tmp_path, {"app.py": f"{sets}def f():\n    return X, Y\n"})
    assert (
        len(
            {
                answer(tmp_path, "-c", f"from app import f; {PRINT}", PYTHONHASHSEED=seed)
                for seed in "1234"
            }
        )
        == 1
    )


READ = "def f():\n    return X\n"
UNSEEN = {
    "assigned by a function": "X = 1\ndef change():\n    global X\n    X = 2\n",
    "bound twice": "X = 1\nX = 2\n",
    "changed by an item": "X = {'a': 1}\ndef change():\n    X['a'] = 2\n",
    "changed by a method": "X = [1]\ndef change():\n    X.append(2)\n",
    "added to": "X = [1]\nX += [2]\n",
    "changed deep inside": "X = {'a': [1]}\ndef change():\n    X['a'].append(2)\n",
    "the clock": "import time\nX = time.time()\n",
    "the environment": "import os\nX = os.environ.get('HOME')\n",
    "a file": "import pathlib\nX = pathlib.Path(__file__).read_text()\n",
    "its place": "X = __file__\n",
    "made of what changes": "Y = [1]\ndef change():\n    Y.append(2)\nX = {'y': Y}\n",
    "a frame": "import pandas\nX = pandas.DataFrame({'a': [1]})\n",
    "too large": "X = [0] * 10_001\n",
    "begun empty": "X = {}\n",
    "an object of the app": "class C:\n    pass\nX = C()\n",
    "in a loop": "for X in range(3):\n    pass\n",
}


@pytest.mark.parametrize("source", UNSEEN.values(), ids=UNSEEN)
def test_what_is_no_constant_is_told(deploy: Deploy, source: str) -> None:
    told = implementation.unseen(deploy({"app.py": source + READ}))
    assert [text.partition(",")[0] for text in told] == ["X (app.py)"]


def test_what_another_module_changes_is_told(deploy: Deploy) -> None:
    files = {
        "app.py": "import config, setup\ndef f():\n    return config.X, config.Y, setup.g()\n",
        "config.py": "X = 1\nY = 1\n",
        "setup.py": "import config\ndef g():\n    return 1\ndef change():\n    config.X = 2\n",
    }
    assert implementation.unseen(deploy(files)) == ["X (config.py), which is changed at run time"]


CHANGED = {
    "an item, through a function's own name": (
        "def change():\n    import config as c\n    own = c.T['a']\n    own.append(2)\n"
    ),
    "an item, one by one": (
        "from config import T\ndef change():\n    for each in T.values():\n        each.append(2)\n"
    ),
    "what was imported by name": "from config import T\ndef change():\n    T['b'] = [1]\n",
    "by `setattr`": "import config\ndef change():\n    setattr(config, 'T', {})\n",
    "a module under another name": "def change():\n    from config import T as t\n    t.clear()\n",
    "the standard library": (
        "import config, heapq\ndef change():\n    heapq.heappush(config.T['a'], 1)\n"
    ),
}


@pytest.mark.parametrize("source", CHANGED.values(), ids=CHANGED)
def test_what_a_module_changes_that_the_function_does_not_use_is_told(
    deploy: Deploy, source: str
) -> None:
    files = {
        "app.py": "import config, other\ndef f():\n    return config.T\n",
        "config.py": "T = {'a': [1]}\n",
        "other.py": source,
    }
    assert implementation.unseen(deploy(files)) == ["T (config.py), which is changed at run time"]


def test_a_number_from_which_another_function_counts_is_a_constant(deploy: Deploy) -> None:
    other = "import config\ndef g():\n    total = config.K\n    total += 2\n    return total\n"
    files = {
        "app.py": "import config, other\ndef f():\n    return config.K\n",
        "config.py": "K = 1\n",
        "other.py": other,
    }
    assert implementation.unseen(deploy(files)) == []


RECORD = (
    "import dataclasses\n"
    "@dataclasses.dataclass\n"
    "class S:\n"
    "    d: int = 5\n"
    "    def up(self):\n"
    "        self.d += 1\n"
    "        return self.d\n"
)
FILLED = {
    "a record by its own method": f"{RECORD}X = S(d=1)\ndef f():\n    return X.up()\n",
    "a record that is a default": (
        f"{RECORD}def g(s=S()):\n    s.d += 1\n    return s.d\ndef f():\n    return g()\n"
    ),
    "a class's dict through an instance": (
        "class C:\n"
        "    kept = {'a': 1}\n"
        "    def up(self):\n"
        "        self.kept[len(self.kept)] = 1\n"
        "        return self.kept\n"
        "def f():\n    return C().up()\n"
    ),
    "what a decorator counts": (
        "def counted(g):\n"
        "    calls = [0]\n"
        "    def run():\n"
        "        calls[0] += 1\n"
        "        return g()\n"
        "    return run\n"
        "@counted\ndef g():\n    return 1\ndef f():\n    return g()\n"
    ),
    "a model that is finished by its first use": (
        "from __future__ import annotations\n"
        "from pydantic import BaseModel\n"
        "class S(BaseModel):\n"
        "    d: A | None = None\n"
        "class A(BaseModel):\n    x: int = 1\ndef f():\n    return S()\n"
    ),
}


@pytest.mark.parametrize("source", FILLED.values(), ids=FILLED)
def test_what_a_run_changes_is_not_in_it(tmp_path: pathlib.Path, source: str) -> None:
    write(tmp_path, {"app.py": source})
    assert answer(tmp_path, "-c", f"from app import f; {PRINT}") == answer(
        tmp_path, "-c", f"from app import f; f(); {PRINT}"
    )


def test_an_objects_attribute_that_changes_is_told(deploy: Deploy) -> None:
    record = "import dataclasses\n@dataclasses.dataclass\nclass S:\n    d: int = 5\nX = S(d=5)\n"
    files = {"app.py": f"{record}def f():\n    return X.d\ndef change(d):\n    X.d = d\n"}
    assert implementation.unseen(deploy(files)) == ["X (app.py), which is changed at run time"]
    files = {"app.py": "def h(n):\n    return n * h.rate\nh.rate = 5\ndef f(n):\n    return h(n)\n"}
    assert implementation.unseen(deploy(files)) == ["h.rate (app.py), which is changed at run time"]
    files = {
        "app.py": (
            "def h(n, known={1: 2}):\n"
            "    known[n] = n\n"
            "    return known\n"
            "def f(n):\n"
            "    return h(n)\n"
        )
    }
    assert implementation.unseen(deploy(files)) == [
        "known of h (app.py), which is changed at run time"
    ]
    files = {
        "app.py": "class L:\n    pass\nclass C:\n    limit = L()\ndef f():\n    return C.limit\n"
    }
    assert implementation.unseen(deploy(files)) == ["C.limit (app.py), which is computed"]


QUIET = {
    "a logger": "import logging\nX = logging.getLogger('x')\n",
    "a module": "import pandas as X\n",
    "a function": "def X(): pass\n",
    "a class": "class X: pass\n",
    "a Dash app": "import dash\nX = dash.Dash('x')\n",
    "a stash": "from dash_stash import Stash\nX = Stash.__new__(Stash)\n",
    "a lock": "import threading\nX = threading.Lock()\n",
    "a library's constant": "from math import pi as X\n",
    "a type": "X = int | None\n",
    "another's variable": "def g():\n    X = []\n    X.append(1)\nX = [1]\n",
    "a pattern": "import re\nX = re.compile('a').match\n",
    "a date": "import datetime\nX = datetime.date(2024, 1, 1)\n",
    "text": "X = 'a b'.split()\n",
    "a record": "import dataclasses\n@dataclasses.dataclass\nclass C:\n    a: int\nX = C(1)\n",
}


@pytest.mark.parametrize("source", QUIET.values(), ids=QUIET)
def test_what_keeps_no_data_or_is_a_constant_is_not_told(deploy: Deploy, source: str) -> None:
    assert implementation.unseen(deploy({"app.py": source + READ})) == []


def test_a_class_variable_that_changes_is_told_if_it_is_read(deploy: Deploy) -> None:
    source = (
        "class C:\n"
        "    a = 1\n"
        "    b = 2\n"
        "    @classmethod\n"
        "    def count(cls):\n"
        "        cls.a = 3\n"
        "def f():\n"
        "    return C.{}\n"
    )
    assert implementation.unseen(deploy({"app.py": source.format("a")})) == [
        "C.a (app.py), which is changed at run time"
    ]


@pytest.mark.parametrize(("elements", "told"), [(10_000, 0), (10_001, 1)])
def test_a_constant_has_ten_thousand_elements_at_most(
    deploy: Deploy, elements: int, told: int
) -> None:
    source = f"X = {{'a': [0] * {elements - 1}}}\n{READ}"
    assert len(implementation.unseen(deploy({"app.py": source}))) == told
