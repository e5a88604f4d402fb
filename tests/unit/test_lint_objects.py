"""The linter's objects, each alone: names, effects, calls seen by their caller, evaluation."""

from __future__ import annotations

import ast
import pathlib
from dataclasses import dataclass, field

import pytest

from dash_stash.lint.effects.invocation import Invocation
from dash_stash.lint.effects.recorder import Recorder
from dash_stash.lint.effects.summary import Effect, Site
from dash_stash.lint.evaluation.analysis import Analysis
from dash_stash.lint.evaluation.expressions import Evaluator
from dash_stash.lint.evaluation.statements import Statements
from dash_stash.lint.source.definitions import Function, Module
from dash_stash.lint.source.program import Program
from dash_stash.lint.values.environment import Environment, Variables, joined, shared_variable
from dash_stash.lint.values.value import (
    EACH,
    NONE,
    SCALAR,
    UNKNOWN,
    Data,
    Foreign,
    Made,
    Root,
    Routine,
    Sort,
    Value,
)

LIST = Value(kind=Data("list"))


def module(text: str = "") -> Module:
    return Module(pathlib.Path("app.py"), "app.py", text, ast.parse(text))


def function(text: str, outer: Function | None = None, within: Module | None = None) -> Function:
    """Return the one function that a text defines."""
    (node,) = ast.parse(text).body
    assert isinstance(node, ast.FunctionDef)
    return (within or module()).function(node, outer, None)


@dataclass
class Around:
    """The variables around an environment."""

    of_modules: Variables = field(default_factory=dict)
    of_functions: Variables = field(default_factory=dict)

    def variables(self, _: Module) -> Variables:
        return self.of_modules

    def captured(self, _: Function, name: str) -> Value:
        return self.of_functions.get(name, UNKNOWN)


def inside(text: str, around: Around) -> Environment:
    """Return the environment of the function that a text defines within another."""
    outer = function("def outer(captured): pass")
    made = function(text, outer, outer.module)
    return Environment(around, made.module, made)


# The environment: Python's scopes


def test_an_own_variable_hides_that_of_the_module() -> None:
    names = inside("def f(): x = 1", Around({"x": LIST}))
    assert names.lookup("x") == UNKNOWN  # not bound yet
    assert names.bind("x", LIST) is None
    assert names.lookup("x") == LIST


def test_a_variable_of_the_module_is_the_same_object_for_all() -> None:
    names = inside("def f(): pass", Around({"x": LIST}))
    assert names.lookup("x") == Value(
        frozenset({Root(Sort.GLOBAL, "x", names.module)}), kind=Data("list")
    )


def test_a_variable_of_the_function_around_is_captured() -> None:
    names = inside("def f(): pass", Around(of_functions={"captured": LIST}))
    (root,) = names.lookup("captured").roots
    assert (root.sort, root.name) == (Sort.CAPTURED, "captured")


def test_a_name_that_nobody_binds_is_a_builtin_or_unknown() -> None:
    names = inside("def f(): pass", Around())
    assert names.lookup("len") == Value(kind=Foreign("builtins.len"))
    assert names.lookup("nobody") == UNKNOWN


@pytest.mark.parametrize(
    ("declared", "sort"), [("global x", Sort.GLOBAL), ("nonlocal captured", Sort.CAPTURED)]
)
def test_binding_a_name_of_another_scope_tells_which(declared: str, sort: Sort) -> None:
    names = inside(f"def f(): {declared}", Around())
    name = declared.split()[1]
    replaced = names.bind(name, LIST)
    assert replaced is not None
    assert (replaced.sort, replaced.name) == (sort, name)
    assert names.belongs_elsewhere(name)
    assert names.bind(name, Value(kind=Made("redis.Redis"))) is None  # made to be shared


def test_a_comprehension_binds_names_that_nobody_sees_after_it() -> None:
    names = inside("def f(): global x", Around())
    with names.comprehension():
        names.hide("x", LIST)
        assert names.lookup("x") == LIST
    assert names.own("x") == UNKNOWN


def test_what_a_variable_was_ever_bound_to_is_noted_for_functions_inside() -> None:
    names, seen = inside("def f(a): x = 1", Around()), Variables()
    names.start({"a": LIST}, seen)
    names.bind("x", Value(kind=SCALAR))
    names.bind("x", Value(kind=NONE))
    with names.class_body(names.module.cls(ast.ClassDef("C", [], [], [], []), None)):
        names.bind("y", LIST)
    assert seen == {"a": LIST, "x": Value(kind=SCALAR)}


def test_a_container_knows_what_was_put_into_it() -> None:
    names = inside("def f(): x = []", Around())
    shared = Value(frozenset({Root(Sort.GLOBAL, "df")}), kind=Data("frame"))
    names.bind("x", LIST)
    names.put_into("x", shared)
    assert names.own("x").inner == shared.roots
    assert names.own("x").items == ((EACH, shared),)
    names.put_into("x", shared, ast.Constant("key"))
    assert names.own("x").item("key") == shared


def test_where_two_ways_meet_a_variable_may_be_either() -> None:
    one, other = (Value(frozenset({Root(Sort.GLOBAL, name)})) for name in "ab")
    assert joined([{"x": one}, {"x": other, "y": one}]) == {"x": one.join(other), "y": one}


def test_what_is_made_to_be_shared_is_no_shared_object() -> None:
    lock = Value(kind=Made("threading.Lock"))
    assert shared_variable(module(), "lock", lock) == lock


# The recorder: what is told of an effect

AT = ast.parse("x").body[0]


def recorded(recorder: Recorder) -> list[tuple[str, str]]:
    return [(each.code, each.root.name) for each in recorder.summary.effects.values()]


@pytest.mark.parametrize(
    ("sort", "code"),
    [
        (Sort.GLOBAL, "DS104"),
        (Sort.CLASS, "DS107"),
        (Sort.DEFAULT, "DS108"),
        (Sort.CACHED, "DS109"),
        (Sort.PROCESS, "DS111"),
    ],
)
def test_a_mutation_has_the_code_of_the_object_that_is_changed(sort: Sort, code: str) -> None:
    recorder = Recorder(module())
    recorder.mutate(Value(frozenset({Root(sort, "x")})), "DS104", AT)
    assert recorded(recorder) == [(code, "x")]


def test_an_assignment_that_fills_a_cache_has_a_code_of_its_own() -> None:
    recorder = Recorder(module(), cache_fills=frozenset({AT}))
    recorder.mutate(Value(frozenset({Root(Sort.GLOBAL, "x")})), "DS104", AT)
    assert recorded(recorder) == [("DS110", "x")]


def test_what_is_made_to_be_shared_may_be_changed() -> None:
    recorder = Recorder(module())
    shared = frozenset({Root(Sort.GLOBAL, "client")})
    recorder.mutate(Value(shared, kind=Made("redis.Redis")), "DS105", AT)
    recorder.rebind(None, AT)
    assert recorded(recorder) == []


@pytest.mark.parametrize(
    ("path", "files"),
    [
        (frozenset[Root](), [""]),  # a constant
        (frozenset({Root(Sort.PARAMETER, "path")}), ["path"]),
        (None, []),  # another one in each call
    ],
)
def test_writing_a_file_counts_if_calls_may_share_it(
    path: frozenset[Root] | None, files: list[str]
) -> None:
    recorder = Recorder(module())
    recorder.write(Value(text=path), AT)
    assert recorded(recorder) == [("DS112", name) for name in files]


def test_filters_of_warnings_that_are_put_back_change_nothing() -> None:
    recorder = Recorder(module())
    recorder.warnings_are_kept = True
    recorder.note_library_call("warnings.simplefilter", AT)
    assert recorded(recorder) == []
    recorder.note_library_call("random.seed", AT)
    assert recorded(recorder) == [("DS111", "random.seed")]


def test_reads_of_shared_objects_and_of_the_request_are_noted() -> None:
    recorder = Recorder(module())
    recorder.note_read(Value(frozenset({Root(Sort.GLOBAL, "df", part=True)})), AT)
    recorder.note_read(Value(kind=Foreign("flask.request")), AT)
    recorder.note_read(LIST, AT)
    assert list(recorder.summary.reads) == [Root(Sort.GLOBAL, "df"), Root(Sort.FOREIGN, "request")]


# A call, as its caller sees it


def test_an_effect_on_a_parameter_is_one_on_what_the_caller_passed() -> None:
    callee = function("def put(target): pass")
    caller = inside("def f(): pass", Around())
    site = Site.of(caller.module, AT)
    effect = Effect("DS104", Root(Sort.PARAMETER, "target", callee), site)
    shared = Root(Sort.GLOBAL, "items")
    call = Invocation(Routine(callee), {"target": Value(frozenset({shared}))}, caller)
    (seen,) = call.effects([effect], site)
    assert (seen.root, [step.callee for step in seen.path]) == (shared, ["put"])
    nothing = Invocation(Routine(callee), {"target": LIST}, caller)
    assert list(nothing.effects([effect], site)) == []


def test_an_effect_on_a_variable_of_the_caller_itself_stays_inside() -> None:
    caller = inside("def f(): x = []", Around())
    caller.bind("x", LIST)
    callee = function("def add(): pass", caller.function, caller.module)
    site = Site.of(caller.module, AT)
    effect = Effect("DS106", Root(Sort.CAPTURED, "x", caller.function), site)
    assert list(Invocation(Routine(callee), {}, caller).effects([effect], site)) == []


def test_a_result_that_is_a_parameter_is_what_was_passed() -> None:
    callee = function("def same(value): pass")
    caller = inside("def f(): pass", Around())
    passed = Value(frozenset({Root(Sort.GLOBAL, "df")}), kind=Data("frame"))
    returned = Value(frozenset({Root(Sort.PARAMETER, "value", callee)}))
    assert Invocation(Routine(callee), {"value": passed}, caller).result(returned) == passed


# The evaluator: what an expression is, in a module with the usual variables


@pytest.fixture
def evaluator() -> Evaluator:
    app = module("import pandas as pd\ndf = pd.read_csv('a')\nitems = []\ndef same(x): return x\n")
    analysis = Analysis(Program())
    environment = Environment(analysis, app)
    environment.variables = dict(analysis.variables(app))
    return Evaluator(analysis, environment, Recorder(app))


@pytest.mark.parametrize(
    ("expression", "objects", "kind"),
    [
        ("df", ["df"], Data("frame")),
        ("df['a']", ["df"], Data("series")),
        ("df[df['a'] > 1]", [], None),
        ("df.copy()", [], Data("frame")),
        ("df.iloc[:3]", ["df"], Data("frame slice")),
        ("same(items)", ["items"], Data("list")),
        ("list(items)", [], Data("list")),
        ("items if df else df", ["df", "items"], None),
        ("(x := items)", ["items"], Data("list")),
        ("[each for each in df]", [], Data("list")),
        ("{'a': items}['a']", ["items"], Data("list")),
        ("pd.DataFrame()", [], Data("frame")),
        ("'text'", [], SCALAR),
    ],
)
def test_an_expression_is_known_by_its_objects_and_its_kind(
    evaluator: Evaluator, expression: str, objects: list[str], kind: Data | None
) -> None:
    value = evaluator.evaluate(ast.parse(expression, mode="eval").body)
    assert (sorted(root.name for root in value.roots), value.kind) == (objects, kind)


# Statements: what they leave


def left(body: str) -> tuple[Environment, Recorder]:
    """Return what following a module's statements leaves."""
    app = module(body)
    environment = Environment(Around(), app)
    recorder = Recorder(app)
    Statements(Analysis(Program()), environment, recorder).run(app.tree.body)
    return environment, recorder


@pytest.mark.parametrize(
    "body",
    [
        "if input(): x = []\nelse: x = {}",
        "x = []\nfor i in range(3): x = {}",
        "x = []\nwhile input(): x = {}",
        "try: x = []\nexcept OSError: x = {}",
        "match input():\n case 'a': x = []\n case _: x = {}",
    ],
)
def test_where_branches_meet_a_variable_may_be_any_of_them(body: str) -> None:
    environment, _ = left(body)
    assert environment.own("x").kind is None


@pytest.mark.parametrize(
    "body",
    [
        "x = []\nif input():\n  x = {}\n  raise OSError",
        "x = []\nwith open('a') as file: pass",
        "while input():\n  x = {}\n  break\nx = []",
        "x, y = [], {}",
    ],
)
def test_what_is_left_by_one_way_alone_is_known(body: str) -> None:
    environment, _ = left(body)
    assert environment.own("x").kind == Data("list")


def test_statements_note_their_effects() -> None:
    _, recorder = left("import os\nos.environ['A'] = '1'\nimport random\nrandom.seed(1)\n")
    assert recorded(recorder) == [("DS111", "os.environ"), ("DS111", "random.seed")]
