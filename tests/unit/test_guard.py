"""The guard reports what a callback changed outside its scope, and nothing else."""

# The faults that are looked for:
# ruff: noqa: PLW0603
# mypy: disable-error-code="func-returns-value"

from __future__ import annotations

import collections
import copy
import functools
import importlib
import itertools
import json
import logging
import os
import pathlib
import queue
import random
import re
import sys
import textwrap
import threading
import time
import types
from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from urllib.parse import unquote

import flask
import flask_caching
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import polars as pl
import prometheus_client
import pytest
from dash import Dash, Input, Output, html
from hypothesis import given
from hypothesis import strategies as some

from dash_stash import ConfigError, Stash, bytecode
from dash_stash.guard import callback as guarded
from dash_stash.guard import runtime
from dash_stash.guard.callback import WatchedCallback
from dash_stash.guard.fingerprints import value_types
from dash_stash.guard.fingerprints.base import changes
from dash_stash.guard.fingerprints.containers import (
    MappingFingerprint,
    SequenceFingerprint,
    SetFingerprint,
)
from dash_stash.guard.fingerprints.taking import fingerprinter
from dash_stash.lint.report.rules import RULES
from dash_stash.testing.calls import Caller
from unit.pages import Page

AMPLE = 60.0
"""The seconds for fingerprints where a test is not about them."""


def watched(
    folder: pathlib.Path, *callbacks: Callable[..., Any], guard: Any = "warn", **options: Any
) -> Page:
    """Load the page of an app with these callbacks.

    Each takes the number of clicks of "go"; they set "out0", "out1" and so on.
    """
    app = Dash(__name__, **options)
    app.layout = html.Div()
    Stash(app, f"file://{folder}", guard=guard)
    for number, function in enumerate(callbacks):
        app.callback(Output(f"out{number}", "data"), Input("go", "n_clicks"))(function)
    return Page(app)


def reported(
    page: Page, caplog: pytest.LogCaptureFixture, output: int = 0, clicks: int = 1
) -> list[str]:
    """Call a callback; return the first line of each report in the log."""
    caplog.clear()
    page.call(f"out{output}.data", ("go", "n_clicks", clicks))
    return [
        record.getMessage().splitlines()[0]
        for record in caplog.records
        if record.name == "dash_stash"
    ]


# What is reported

df = pd.DataFrame({"a": [1.0, 2.0, 3.0], "c": list("aba")})
frame = pl.DataFrame({"a": [1, 2, 3]})
numbers = np.zeros(10)
rows: list[Any] = []
state: dict[str, Any] = {"rows": [], "deep": {"er": [1, {"x": 0}]}}
seen: set[int] = set()
recent: collections.deque[int] = collections.deque(maxlen=3)
counter = 0
figure = go.Figure()


class Settings:
    """Configuration that nobody should change."""

    theme = "light"
    users: list[str] = []  # noqa: RUF012 (the fault that is looked for)

    def __init__(self) -> None:
        self.size = 1

    def grow(self) -> None:
        self.size += 1


settings = Settings()


def _rebind(n: int) -> int:
    global df
    df = df[df["c"] == "a"]
    return n


def _count(n: int) -> int:
    global counter
    counter += n
    return counter


def _through_helpers(n: int) -> int:
    def helper() -> None:
        _deeper(n)

    helper()
    return n


def _deeper(n: int) -> None:
    state["deep"]["er"][1]["x"] = n


def _default(n: int, kept: list[int] = []) -> int:  # noqa: B006 (the fault that is looked for)
    kept.append(n)
    return len(kept)


def _closure() -> Callable[[int], int]:
    clicks = 0

    def count(n: int) -> int:
        nonlocal clicks
        clicks += n
        return clicks

    return count


def _alias(n: int) -> int:
    mine = state["rows"]
    mine.append(n)
    return n


def _item(n: int) -> int:
    df["new"] = n
    return n


def _view(n: int) -> int:
    part = numbers[2:4]
    part[0] = n
    return n


def _sort(n: int) -> int:
    numbers[:] = range(10, 0, -1)
    numbers.sort()
    return n


def _environment(n: int) -> int:
    os.environ["DASH_STASH_TEST"] = str(n)
    return n


def _trace(n: int) -> int:
    figure.add_scatter(y=[n])
    return n


def _theme(n: int) -> int:
    Settings.theme = "dark"
    return n


WRONG: dict[str, tuple[Callable[[int], Any], str, str]] = {
    "the chapter's own example": (_rebind, ".df ", "DS101"),
    "a counter": (_count, ".counter ", "DS103"),
    "a helper's helper": (_through_helpers, ".state['deep']['er'][1]['x'] ", "DS104"),
    "a default": (_default, "_default(kept=...) ", "DS108"),
    "a closure": (_closure(), "clicks ", "DS103"),
    "an alias": (_alias, ".state['rows'] ", ""),
    "an item of a frame": (_item, ".df", "DS104"),
    "a view": (_view, ".numbers", ""),
    "in place": (_sort, ".numbers", "DS10"),
    "the environment": (_environment, "os.environ", "DS104"),
    "a figure": (_trace, ".figure", "DS106"),
    "a class": (_theme, "Settings.theme", "DS105"),
    "an object's method": (lambda n: (settings.grow(), n)[1], ".settings.size", "DS103"),
    "a class's list": (lambda n: (Settings.users.append("ann"), n)[1], "Settings.users", ""),
    "a set": (lambda n: (seen.add(n), n)[1], ".seen", ""),
    "a deque": (lambda n: (recent.append(n), n)[1], ".recent", ""),
    "a list": (lambda n: (rows.append(n), n)[1], ".rows", ""),
    "a polars frame": (
        lambda n: (frame.insert_column(0, pl.Series("b", [n] * 3)), n)[1],
        ".frame",
        "",
    ),
}


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Leave this module's variables as they were."""
    names = (
        "df",
        "frame",
        "numbers",
        "rows",
        "state",
        "seen",
        "recent",
        "counter",
        "figure",
        "settings",
    )
    before = {name: copy.deepcopy(globals()[name]) for name in names}
    yield
    globals().update(before)
    Settings.theme = "light"
    Settings.users.clear()
    os.environ.pop("DASH_STASH_TEST", None)


@pytest.mark.parametrize("case", WRONG)
def test_what_a_callback_changes_outside_of_its_scope_is_reported(
    case: str, folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    function, variable, code = WRONG[case]
    page = watched(folder, function)
    lines = reported(page, caplog)
    assert lines, "nothing was said"
    assert any(variable in line for line in lines), lines
    text = caplog.text
    assert f"{pathlib.Path(__file__).name}:" in text
    assert "Instead:" in text
    assert code in text
    assert set(re.findall(r"DS\d+", text)) <= RULES.keys()


def test_the_report_says_who_what_where_and_what_to_do_instead(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = watched(folder, _count)
    reported(page, caplog)
    line = _count.__code__.co_firstlineno
    expected = f"""\
{__name__}.counter was changed while the callback _count() ran: rebound from int 0 to int 1.
  callback: out0.data, _count() at PATH:{line}
  changed at: PATH:{line + 2}: counter += n
  DS103, see: dash-stash check --explain DS103
Every visitor of this worker process sees the change; \
those of other workers, and after a restart, do not.
Instead: stash.app.modify("counter", lambda counter: counter + 1, default=0) for all visitors, \
stash.session.modify for each."""
    (said,) = (record.getMessage() for record in caplog.records if record.name == "dash_stash")
    place = os.path.relpath(__file__) if __file__.startswith(os.getcwd()) else __file__
    assert said.replace(place, "PATH") == expected


_ENGLISH = """
    import pandas as pd
    from dash import Dash, Input, Output, callback, dcc, html
    from dash_stash import Stash

    df = pd.DataFrame({"student_id": range(1, 11), "score": [1, 5, 2, 5, 2, 3, 1, 5, 1, 5]})
    app = Dash(__name__)
    app.layout = html.Div([
        dcc.Dropdown(list(range(1, 6)), 1, id="score"),
        "was scored by this many students:",
        html.Div(id="output"),
    ])
    Stash(app, "file://FOLDER", guard="warn")

    @callback(Output("output", "children"), Input("score", "value"))
    def update_output(value):
        global df
        df = df[df["score"] == value]
        return len(df)
"""

_OLDER = """
    import dash
    from dash import dcc, html
    from dash.dependencies import Input, Output
    import pandas as pd
    from dash_stash import Stash

    app = dash.Dash(__name__)
    Stash(app, "file://FOLDER", guard="warn")
    df = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 1, 4], 'c': ['x', 'y', 'z']})
    options = [{'label': i, 'value': i} for i in df['c'].unique()]
    app.layout = html.Div([
        dcc.Dropdown(id='score', options=options, value='x'), html.Div(id='output')
    ])

    @app.callback(Output('output', 'children'), [Input('score', 'value')])
    def update_output_1(value):
        # Here, `df` is an example of a variable that is
        # "outside the scope of this function". It is not safe to modify it.
        global df
        df = df[df['c'] == value]
        return len(df)
"""


@pytest.mark.parametrize(
    "source", [_ENGLISH, _OLDER], ids=["as the guide has it", "in older spelling"]
)
def test_the_chapters_own_bad_example(
    source: str, folder: pathlib.Path, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = _imported(tmp_path, bad_example=source.replace("FOLDER", str(folder)))["bad_example"].app
    page = Page(app)
    for value in (5, 2, "x"):
        page.call("output.children", ("score", "value", value))
    assert "bad_example.df was changed while the callback update_output" in caplog.text
    assert (
        "of 10 rows to DataFrame of 4 rows" in caplog.text
        or "of 3 rows to DataFrame of 0 rows" in caplog.text
    )
    assert "DS101" in caplog.text


def test_a_change_three_modules_away_is_found(
    folder: pathlib.Path, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    modules = _imported(
        tmp_path,
        guard_data="cache = {}\n",
        guard_far="import guard_data\n\ndef keep(n):\n    guard_data.cache[n] = n\n",
        guard_middle="""
            from guard_far import keep

            class Model:
                def run(self, n):
                    keep(n)
        """,
        guard_near="""
            import guard_middle

            model = guard_middle.Model()

            def compute(n):
                model.run(n)
                return n
        """,
    )
    (line,) = reported(watched(folder, modules["guard_near"].compute), caplog)
    assert line.startswith("guard_data.cache was changed while the callback compute() ran: ")
    assert "guard_far.py:4: guard_data.cache[n] = n" in caplog.text


def _imported(place: pathlib.Path, **sources: str) -> dict[str, Any]:
    for name, source in sources.items():
        (place / f"{name}.py").write_text(textwrap.dedent(source))
    sys.path.insert(0, str(place))
    try:
        return {name: importlib.import_module(name) for name in sources}
    finally:
        sys.path.remove(str(place))
        for name in sources:
            sys.modules.pop(name, None)


# What is not


lock, log, chance, ids, jobs = (
    threading.Lock(),
    logging.getLogger("app"),
    random.Random(1),
    itertools.count(),
    queue.Queue[int](),
)
clicks = prometheus_client.Counter(
    "clicks", "Clicks", registry=prometheus_client.CollectorRegistry()
)
cache = flask_caching.Cache(config={"CACHE_TYPE": "SimpleCache"})
local = threading.local()
generator = np.random.default_rng(1)
lazy = pd.DataFrame({"a": range(1000), "b": list("ab") * 500})


@functools.lru_cache
def _square(n: int) -> int:
    return n * n


class Model:
    """Has something that is computed once."""

    @functools.cached_property
    def weights(self) -> list[int]:
        return [1, 2, 3]


model = Model()


def _fine(n: int) -> Any:
    with lock:
        log.warning("clicked %s", n)
        clicks.inc()
        local.n = n
        jobs.put(n)
        cache.set("n", n)
        rows = [chance.random(), generator.random(), next(ids), _square(n)]
        rows.append(n)
        state = {"n": n}
        state["n"] += 1
    mine = lazy.copy()
    mine["c"] = n
    mine.loc[:, "a"] = mine["a"] * 2
    # These fill caches inside of the frame.
    _ = (
        lazy["a"],
        lazy.loc[5],
        lazy.index.is_unique,
        lazy.columns.get_loc("b"),
        lazy.groupby("b")["a"].sum(),
        lazy["a"].hasnans,
    )
    array = numbers.copy()
    array[:] = n
    go.Figure(figure).update_layout(title="copy")
    assert flask.request.path == "/_dash-update-component"
    return [len(rows), model.weights[0]]


def test_what_is_fine_is_not_reported(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = watched(folder, _fine)
    cache.init_app(page.app.server)
    for clicked in range(3):
        assert reported(page, caplog, clicks=clicked) == []


def test_what_the_stash_does_is_fine(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = Dash(__name__)
    app.layout = html.Div()
    stash = Stash(app, f"file://{folder}", guard="warn")

    @stash.memo
    def doubled(n: int) -> list[int]:
        return [2 * n]

    @app.callback(Output("out0", "data"), Input("go", "n_clicks"))
    def use(n: int) -> str:
        stash.session["n"] = stash.app.modify("n", lambda kept: kept + 1, default=0)
        doubled(n).append(3)
        return stash.put(doubled.ref(n))

    page = Page(app)
    assert [reported(page, caplog, clicks=clicked) for clicked in range(3)] == [[], [], []]


_plain = (
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text(max_size=5)
    | some.dates()
)
_nested = some.recursive(
    _plain,
    lambda inner: (
        some.lists(inner, max_size=4)
        | some.dictionaries(some.text(max_size=3), inner, max_size=4)
        | some.sets(some.integers())
    ),
    max_leaves=20,
)


@given(_nested)
def test_what_has_not_changed_is_never_reported(value: Any) -> None:
    before = fingerprinter().take(value)
    assert list(changes(before, fingerprinter().take(value))) == []
    assert list(changes(before, fingerprinter().take(copy.deepcopy(value)))) == []


@given(some.data())
def test_any_change_is_seen(data: Any) -> None:
    value = {"a": data.draw(_nested), "b": [data.draw(_nested)]}
    before = fingerprinter().take(value)
    places: list[tuple[Any, Any]] = []

    def collect(container: Any) -> None:
        items = (
            list(container.items()) if isinstance(container, dict) else list(enumerate(container))
        )
        for key, item in items:
            places.append((container, key))
            if isinstance(item, list | dict):
                collect(item)

    collect(value)
    container, key = data.draw(some.sampled_from(places))
    new = data.draw(
        _plain.filter(
            lambda plain: (
                type(plain) is not type(container[key]) or repr(plain) != repr(container[key])
            )
        )
    )
    if new == container[key] and type(new) is type(container[key]):  # -0.0 is 0.0
        return
    container[key] = new
    assert len(list(changes(before, fingerprinter().take(value)))) == 1


class _Hostile:
    """Raises at whatever is asked of it."""

    def __init__(self) -> None:
        self.n = 0

    def __eq__(self, _: object) -> bool:
        raise RuntimeError("compared")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise RuntimeError("shown")

    def __len__(self) -> int:
        raise RuntimeError("measured")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"asked for {name}")

    @property
    def value(self) -> int:
        raise RuntimeError("computed")


hostile = _Hostile()


def test_the_apps_own_code_is_not_run_by_looking(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    def change(n: int) -> int:
        hostile.n = n
        return n

    (line,) = reported(watched(folder, change), caplog)
    assert ".hostile.n was changed" in line


class _Key:
    """A key that notes what is asked of it."""

    asked: ClassVar[list[str]] = []

    def __hash__(self) -> int:
        self.asked.append("hash")
        return 1

    def __eq__(self, other: object) -> bool:
        self.asked.append("eq")
        return self is other

    def __repr__(self) -> str:
        raise RuntimeError("shown")


class _Slotted:
    """Has no `__dict__`, and raises when it is asked for it."""

    __slots__ = ("n",)

    def __init__(self) -> None:
        self.n = 0

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"asked for {name}")


class _Silent(list[int]):
    """A list that does not let itself be read."""

    def __iter__(self) -> Iterator[int]:
        raise RuntimeError("read")

    def __len__(self) -> int:
        raise RuntimeError("measured")


class _Proxy:
    """Says that it is something else, at a price."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        raise RuntimeError("asked for its class")


class _Text(str):
    """The app's own kind of text."""

    __slots__ = ()


by_key: dict[Any, int] = {_Key(): 1}
keys_seen: set[Any] = set()
slotted, silent, proxy, text = _Slotted(), _Silent([1]), _Proxy(), _Text("a")
unknown: list[Any] = [pd.NA, 1]
objects = pd.DataFrame({"a": pd.Series([pd.NA, "x"], dtype=object)})
labelled = pd.DataFrame({"a": [1, 2]})
masked = np.ma.array([1, 2, 3], mask=np.zeros(3, dtype=bool))
long_list, long_dict, long_deque = (
    list(range(1_000_000)),
    {n: n for n in range(1_000_000)},
    collections.deque(range(1_000_000)),
)


def _new_text(n: int) -> None:
    global text
    text = _Text("b" * n)


AWKWARD: dict[str, tuple[Callable[[int], Any], str]] = {
    "a key of the app's": (lambda n: by_key.__setitem__(_Key(), n), ".by_key: key <_Key> set"),
    "under a key of the app's": (
        lambda n: by_key.__setitem__(next(iter(by_key)), n + 7),
        ".by_key[<_Key>]: ",
    ),
    "a member of the app's": (lambda n: keys_seen.add(_Key()), ".keys_seen: <_Key> added"),
    "slots": (lambda n: setattr(slotted, "n", n), ".slotted.n: int 0 -> int 1"),
    "a list of the app's": (lambda n: list.append(silent, n), ".silent: length 1 -> 2"),
    "text of the app's": (_new_text, ".text: rebound from str 'a' to str 'b'"),
    "a missing value": (lambda n: unknown.__setitem__(0, n), ".unknown[0]: NAType <NA> -> int 1"),
    "a missing value in a frame": (lambda n: objects.__setitem__("a", ["y", "x"]), ".objects: "),
    "the name of an index": (
        lambda n: setattr(labelled.index, "name", "k"),
        ".labelled: index changed",
    ),
    "the name of the columns": (
        lambda n: setattr(labelled.columns, "name", "k"),
        ".labelled.columns.name",
    ),
    "attrs": (lambda n: labelled.attrs.__setitem__("x", n), ".labelled.attrs: key 'x' set"),
    "a mask": (lambda _: masked.__setitem__(0, np.ma.masked), ".masked.mask: values changed"),
    "a long list": (lambda n: long_list.append(n) or n, ".long_list: length 1000000 -> 1000001"),
    "a long dict": (
        lambda n: long_dict.__setitem__(-1, n),
        ".long_dict: length 1000000 -> 1000001",
    ),
    "a long deque": (lambda n: long_deque.append(n) or n, ".long_deque: length 1000000 -> 1000001"),
}


@pytest.mark.parametrize("case", AWKWARD)
def test_awkward_things_are_looked_at_and_run_no_code_of_the_app(case: str) -> None:
    change, expected = AWKWARD[case]

    def callback(n: int) -> object:
        change(n)
        return proxy, by_key, slotted

    _Key.asked.clear()
    run = runtime.Guard(budget=AMPLE).begin(WatchedCallback(callback, "out.data"))
    assert _Key.asked == []
    change(1)
    _Key.asked.clear()
    (found,) = run.end()
    assert _Key.asked == []
    assert expected in f"{found.variable}: {found.what}"


@pytest.mark.parametrize("case", ["long_list", "long_dict", "long_deque"])
def test_of_a_million_elements_a_thousand_are_looked_at(case: str) -> None:
    fingerprint = fingerprinter().take(globals()[case])
    assert isinstance(fingerprint, SequenceFingerprint | MappingFingerprint)
    assert len(fingerprint.items) == 1000


@pytest.mark.parametrize(
    "made_of",
    [list, tuple, dict.fromkeys, collections.deque, set, frozenset],
    ids=["list", "tuple", "dict", "deque", "set", "frozenset"],
)
@pytest.mark.parametrize(("length", "looked_at"), [(10_000, 10_000), (10_001, 1_000)])
def test_up_to_ten_thousand_elements_are_all_looked_at_and_of_more_a_thousand(
    made_of: Callable[[range], Any], length: int, looked_at: int
) -> None:
    fingerprint = fingerprinter().take(made_of(range(length)))
    if isinstance(fingerprint, SetFingerprint):
        assert len(fingerprint.members) == looked_at
    else:
        assert isinstance(fingerprint, SequenceFingerprint | MappingFingerprint)
        assert len(fingerprint.items) == looked_at


def test_slices_are_seen_as_changes_in_every_python() -> None:
    def fill(values: list[int]) -> None:
        values[:] = [1]

    assert bytecode.names(fill.__code__).stores_items


def test_what_libraries_keep_for_themselves_is_known_wherever_they_lie(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(value_types, "is_app_class", lambda _: True)
    assert value_types.is_unwatched(type(clicks))


def test_a_callback_runs_whatever_the_guard_meets(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(_: object) -> Any:
        raise RuntimeError("looked at")

    monkeypatch.setattr(guarded, "reach", unreachable)
    name = str(WatchedCallback(_changes_rows, ""))
    assert reported(watched(folder, _changes_rows), caplog) == [
        f"The guard cannot find out what the callback {name} can reach"
    ]


# Several at a time


def test_a_change_is_told_of_the_callback_that_made_it(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    entered, released = threading.Event(), threading.Event()

    def slow_reader(n: int) -> int:
        entered.set()
        assert released.wait(30)
        return len(rows) + n

    def writer(n: int) -> int:
        rows.append(n)
        return n

    page = watched(folder, slow_reader, writer)
    other = page.another()
    reader = Caller(lambda: page.post("out0.data", ("go", "n_clicks", 1)))
    assert entered.wait(30)
    (line,) = reported(other, caplog, output=1)
    assert "while the callback writer() ran" in line
    caplog.clear()
    released.set()
    assert reader.result().status_code == 200
    assert "was changed" not in caplog.text


def test_of_two_that_may_have_done_it_each_report_names_the_other(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    entered, released = threading.Event(), threading.Event()

    def first(n: int) -> int:
        entered.set()
        assert released.wait(30)
        if n > 100:
            rows.append(n)
        return n

    def second(n: int) -> int:
        rows.append(n)
        return n

    page = watched(folder, first, second)
    slow = Caller(lambda: page.post("out0.data", ("go", "n_clicks", 1)))
    assert entered.wait(30)
    reported(page.another(), caplog, output=1)
    released.set()
    slow.result()
    assert "ran at the same time, and can change it: second() at" in caplog.text


# Time


def test_what_there_is_no_time_for_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    guard, callback = runtime.Guard(budget=1e-6), WatchedCallback(_alias, "out.data")
    for _ in range(5):
        assert guard.begin(callback).end() == []
    (said,) = (record.getMessage() for record in caplog.records)
    assert "which is not enough for all that it can reach" in said
    assert "_alias()" in said
    assert ".state" in said


class _Meter:
    """A processor's time: as the guard begins to look, *spent* milliseconds pass at once."""

    def __init__(self) -> None:
        self.now, self.spent = 0.0, 0.0

    def __call__(self) -> float:
        was, self.now, self.spent = self.now, self.now + self.spent / 1000, 0.0
        return was


@pytest.mark.parametrize(
    ("before", "after", "is_enough"),
    [(9.9, 0, True), (10.1, 0, False), (5, 14.9, True), (5, 15.1, False)],
)
def test_the_fingerprints_for_one_call_take_20_ms_of_which_10_may_pass_before_it(
    before: float, after: float, is_enough: bool, caplog: pytest.LogCaptureFixture
) -> None:
    meter = _Meter()
    guard, callback = runtime.Guard(clock=meter), WatchedCallback(_alias, "out.data")
    meter.spent = before
    run = guard.begin(callback)
    meter.spent = after
    assert run.end() == []
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == (not is_enough)
    assert all("has 20 ms for each call" in text for text in said)


def test_of_much_that_there_is_no_time_for_a_few_are_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runtime.Guard(budget=1e-6).begin(WatchedCallback(_fine, "out.data")).end()
    (said,) = (record.getMessage() for record in caplog.records)
    assert re.search(r"not noticed: (\S+, ){4}\S+ and \d+ more$", said)


def test_a_change_of_a_value_in_the_sample_of_a_big_frame_is_seen() -> None:
    big = pd.DataFrame({f"c{n}": np.arange(1_000_000.0) for n in range(6)})

    def change(n: int) -> int:
        big.loc[999_999, "c3"] = n
        return n

    run = runtime.Guard(budget=AMPLE).begin(WatchedCallback(change, "out.data"))
    change(5)
    (found,) = run.end()
    assert "big" in found.variable
    assert "c3" in f"{found.variable} {found.what}"


# Modes


def _changes_rows(n: int) -> int:
    rows.append(n)
    return n


def test_in_production_nothing_is_watched_and_nothing_is_paid(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number, guard in enumerate((None, "off")):
        page = watched(folder / str(number), _changes_rows, guard=guard)
        assert (
            page.app._execute_callback.__qualname__ == "prepare_callbacks.<locals>.execute_resolved"
        )
        assert "guard.js" not in page.markup
        assert reported(page, caplog) == []


def test_in_debug_mode_it_warns(folder: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    app = Dash(__name__)
    app.layout = html.Div()
    Stash(app, f"file://{folder}")
    app.callback(Output("out0", "data"), Input("go", "n_clicks"))(_changes_rows)
    app.enable_dev_tools(
        debug=True, dev_tools_hot_reload=False, dev_tools_silence_routes_logging=False
    )
    page = Page(app)
    assert "guard.js" in page.markup
    answer = page.post("out0.data", ("go", "n_clicks", 7))
    assert answer.get_json()["response"]["out0"]["data"] == 7
    (told,) = json.loads(unquote(answer.headers["X-Dash-Stash-Guard"]))
    assert "rows changed: length 0 -> 1" in told["message"]
    assert max(map(len, told["html"].splitlines())) <= 100
    assert "rows was changed while the callback _changes_rows() ran" in caplog.text


def test_the_same_report_is_logged_once_a_minute(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [0.0]
    clock = types.SimpleNamespace(monotonic=lambda: passed[0], thread_time=time.thread_time)
    monkeypatch.setattr(runtime, "time", clock)
    page = watched(folder, _changes_rows, _rebind)
    for seconds, times in ((0, 1), (59.9, 1), (60.1, 2), (120, 2), (120.2, 3)):
        passed[0] = seconds
        page.call("out0.data", ("go", "n_clicks", 1))
        assert caplog.text.count("rows was changed") == times
    page.call("out1.data", ("go", "n_clicks", 1))
    assert caplog.text.count("df was changed") == 1, "another one is told at once"


def test_it_can_raise_in_the_place_of_the_value(folder: pathlib.Path) -> None:
    page = watched(folder, _changes_rows, guard="raise")
    page.app.server.testing = False
    page.app.server.config["PROPAGATE_EXCEPTIONS"] = False
    assert page.post("out0.data", ("go", "n_clicks", 1)).status_code == 500


def test_any_other_mode_is_refused(folder: pathlib.Path) -> None:
    with pytest.raises(ConfigError, match="guard='always'"):
        Stash(url=f"file://{folder}", guard="always")  # type: ignore[arg-type]


def test_async_callbacks_are_watched(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def change(n: int) -> int:
        rows.append(n)
        return n

    (line,) = reported(watched(folder, change, use_async=True), caplog)
    assert ".rows was changed while the callback change() ran" in line


def test_a_callback_that_fails_is_watched_too(
    folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(n: int) -> int:
        rows.append(n)
        raise ValueError("after it")

    page = watched(folder, fail)
    page.app.server.config["PROPAGATE_EXCEPTIONS"] = False
    assert page.post("out0.data", ("go", "n_clicks", 1)).status_code == 500
    assert ".rows was changed while the callback fail() ran" in caplog.text
