"""What makes a function another one: its name and its code, not its place in the file."""

from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from dash_stash import ConfigError, Stash, identity, implementation
from support import run_python

Load = Callable[..., ModuleType]


@pytest.fixture
def load(stash: Stash, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Write a module and import it, as a worker does after each deploy."""
    # Python finds stale byte code by size and second, and these deploys are faster.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = []

    def load_module(source: str, name: str = "deployed", folder: str = ".") -> ModuleType:
        path = tmp_path / folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(source))
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        made.append(name)
        vars(module)["stash"] = stash
        spec.loader.exec_module(module)
        return module

    yield load_module
    for name in made:
        sys.modules.pop(name, None)


def _id(module: ModuleType) -> bytes:
    return implementation.of_function(module.f._cache.function)


BASE = """
@stash.memo
def f(n):
    return [n + 1, "text"]
"""


@pytest.mark.parametrize(
    "source",
    [
        BASE,
        "\n\n# moved down\nimport os\n" + BASE,
        (
            "\n"
            "@stash.memo(ttl='1h', tags=['t'])\n"
            "def f(n):\n"
            "    # a comment\n"
            "    return [n + 1, 'text']\n"
        ),
        "\n@stash.memo\ndef f(n):\n    '''Say what it does.'''\n    return [n + 1, 'text']\n",
        "\n@stash.memo\ndef f(n: int) -> list[object]:\n    return [n + 1, 'text']\n",
        "\n@stash.memo\ndef f(n):\n\n    return [\n        n + 1,\n        'text',\n    ]\n",
    ],
    ids=["the same", "moved", "options and comments", "docstring", "annotations", "layout"],
)
def test_what_does_not_change_the_result_keeps_the_values(load: Load, source: str) -> None:
    assert _id(load(source)) == _id(load(BASE))


def test_a_changed_docstring_keeps_the_values(load: Load) -> None:
    one, other = (
        f"@stash.memo\ndef f(n):\n    '''{text}'''\n    return n\n" for text in ("One.", "Another.")
    )
    assert _id(load(one)) == _id(load(other))


# The same instructions in the same order; only what the handler guards is different.
_GUARDED = """
@stash.memo
def f(n):
    try:
        x = abs(n)
        y = hex(x)
    except:
        return None
    return y
"""
_UNGUARDED = """
@stash.memo
def f(n):
    try:
        x = abs(n)
    except:
        return None
    y = hex(x)
    return y
"""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (BASE, BASE.replace("n + 1", "n + 2")),
        (BASE, BASE.replace("n + 1", "n - 1")),
        (BASE, BASE.replace('"text"', '"other"')),
        (BASE, BASE.replace('"text"', 'b"text"')),
        (BASE, BASE.replace("n + 1", "n + 1.0")),
        (BASE, BASE.replace("n + 1", "n + True")),
        (BASE, BASE.replace("def f(n)", "def f(m)").replace("n + 1", "m + 1")),
        (BASE.replace("n + 1", "abs(n)"), BASE.replace("n + 1", "hex(n)")),
        (BASE.replace("n + 1", "n.real"), BASE.replace("n + 1", "n.imag")),
        (BASE.replace("n + 1", "(lambda: n + 1)()"), BASE.replace("n + 1", "(lambda: n + 2)()")),
        (BASE.replace("n + 1", "n in {1, 2}"), BASE.replace("n + 1", "n in {1, 3}")),
        (BASE.replace("n + 1", "0.0"), BASE.replace("n + 1", "-0.0")),
        (BASE.replace("n + 1", "(1, 2)"), BASE.replace("n + 1", "(1, 2.0)")),
        (BASE.replace("def f(n)", "async def f(n)"), BASE),
        (_GUARDED, _UNGUARDED),
        (BASE.replace("n + 1", "(lambda a: a)(n)"), BASE.replace("n + 1", "(lambda *a: a)(n)")),
    ],
    ids=lambda source: source.strip().replace("\n", " ")[16:60],
)
def test_other_code_is_another_function(load: Load, one: str, other: str) -> None:
    assert _id(load(one)) != _id(load(other))


def test_a_changed_default_is_another_call_of_the_same_function(load: Load) -> None:
    first = load("@stash.memo\ndef f(n=1):\n    return n\n")
    assert first.f() == 1
    second = load("@stash.memo\ndef f(n=2):\n    return n\n")
    assert _id(first) == _id(second)
    assert (second.f(), second.f(1)) == (2, 1)


def test_an_edited_function_computes_anew(load: Load) -> None:
    assert load(BASE).f(1) == [2, "text"]
    assert load(BASE.replace("n + 1", "n + 5")).f(1) == [6, "text"]
    assert load(BASE).f(1) == [2, "text"]


CLASSES = {
    "dataclass": (
        "import dataclasses\n"
        "@dataclasses.dataclass\n"
        "class Q:\n"
        "    a: int\n"
        "    def sql(self):\n"
        "        return 5\n"
    ),
    "named tuple": (
        "from typing import NamedTuple\n"
        "class Q(NamedTuple):\n"
        "    a: int\n"
        "    def sql(self):\n"
        "        return 5\n"
    ),
    "enum": "import enum\nclass Q(enum.Enum):\n    A = 1\n    def sql(self):\n        return 5\n",
}


@pytest.mark.parametrize("source", CLASSES.values(), ids=CLASSES)
def test_the_code_of_an_arguments_class_counts(
    tmp_path: pathlib.Path, folder: pathlib.Path, source: str
) -> None:
    script = tmp_path / "classy.py"
    memo = (
        "from dash_stash import Stash\n"
        f"@Stash(url={folder.as_uri()!r}).memo\n"
        "def f(queries):\n"
        "    return queries[0].sql()\n"
    )
    for number in "56":
        script.write_text(f"{source.replace('5', number)}{memo}print(f([Q(1)]))\n")
        found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
        assert found.stdout.strip() == number


def test_functions_of_one_name_in_two_modules_are_two(load: Load) -> None:
    assert load(BASE, "one").f._cache.id != load(BASE, "two").f._cache.id


def test_an_edited_function_keeps_its_name(load: Load) -> None:
    """References contain it, and are valid after a deploy."""
    one, two = load(BASE).f, load(BASE.replace("n + 1", "n + 5")).f
    assert identity.of_function(one._cache.function) == identity.of_function(two._cache.function)


def test_two_lambdas_of_one_module_are_two_functions() -> None:
    one, two = (lambda n: n + 1), (lambda n: n + 2)
    assert identity.of_function(one) != identity.of_function(two)


def test_two_files_of_one_name_with_the_same_function_are_refused(load: Load) -> None:
    source = BASE + "\ng = f\n"
    one = load(source, "page", "first")
    sys.modules["page_of_first"] = one
    one.f._cache.function.__module__ = "page_of_first"
    with pytest.raises(ConfigError, match="version="):
        load(source, "page", "second")
    del sys.modules["page_of_first"]


def test_a_module_of_a_package_is_known_by_its_full_name(
    load: Load, tmp_path: pathlib.Path
) -> None:
    alone = load(BASE, "tool")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    inside = load(BASE, "tool", "package")
    assert (alone.f._cache.name, inside.f._cache.name) == ("tool.f", "package.tool.f")
    assert alone.f._cache.id != inside.f._cache.id


@pytest.mark.parametrize("seed", ["0", "7"])
def test_every_process_knows_it_by_the_same_id(
    load: Load, tmp_path: pathlib.Path, folder: pathlib.Path, seed: str
) -> None:
    source = """
    @stash.memo(version={"b": 1, "a": {2, 3, 1}})
    def f(n):
        return n in {"a", "b", "c", "d"} and sorted(x for x in {"k": [n]})
    """
    here = load(source)
    code = """
    import sys
    from dash_stash import Stash
    import builtins
    builtins.stash = Stash(url="file://" + sys.argv[1])
    sys.path.insert(0, sys.argv[2])
    import deployed
    from dash_stash import implementation
    print(deployed.f._cache.id.hex(), implementation.of_function(deployed.f._cache.function).hex())
    """
    assert (
        run_python(code, folder, tmp_path, PYTHONHASHSEED=seed)
        == f"{here.f._cache.id.hex()} {_id(here).hex()}"
    )


def test_a_script_and_a_module_are_the_same(
    stash: Stash, tmp_path: pathlib.Path, folder: pathlib.Path
) -> None:
    (tmp_path / "shop.py").write_text(
        "from dash_stash import Stash\n"
        f"stash = Stash(url='file://{folder}')\n"
        f"{BASE}\n"
        "print(f._cache.id.hex(), f._cache.name)\n"
    )
    run = "import runpy, sys; sys.path.insert(0, sys.argv[1]); "
    as_module = run_python(run + "import shop", tmp_path)
    as_script = run_python(
        run
        + "sys.argv = [sys.argv[1] + '/shop.py']; runpy.run_path(sys.argv[0], run_name='__main__')",
        tmp_path,
    )
    assert as_module == as_script
    assert as_module.endswith(" shop.f")


def test_a_function_of_an_interactive_session_works(stash: Stash) -> None:
    namespace: dict[str, Any] = {"stash": stash, "__name__": "typed_in"}
    exec("@stash.memo\ndef f(n):\n    return n + 1", namespace)
    assert namespace["f"](1) == 2
