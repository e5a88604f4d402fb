"""The linter: what it reports, what it is silent about, and where it says that it is."""

from __future__ import annotations

import pathlib
import re
import textwrap

import pytest

from dash_stash.lint.check import check
from dash_stash.lint.report.findings import Report
from dash_stash.lint.report.rules import RULES
from support import run_python

_PAGES = pathlib.Path(__file__).parent.parent.parent / "docs" / "rules"
_HEAD = """
    import functools
    import os
    import random
    import threading
    import logging
    import dash
    import numpy as np
    import pandas as pd
    from dash import Dash, Input, Output, State, callback, dcc, html

    app = Dash(__name__)
    df = pd.read_csv("data.csv")
    items = []
    state = {}
    array = np.zeros(3)
"""


def report(folder: pathlib.Path, **files: str) -> Report:
    """Check the modules given by their names."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    return check([folder])


def found(folder: pathlib.Path, body: str) -> list[str]:
    """Return the codes reported for a callback with this body, in an app with the usual names."""
    code = (
        textwrap.dedent(_HEAD)
        + "@callback(Output('a', 'b'), Input('c', 'd'))\ndef update(value):\n"
    )
    (folder / "app.py").write_text(code + textwrap.indent(textwrap.dedent(body), "    "))
    return [finding.rule.code for finding in check([folder]).findings]


@pytest.mark.parametrize("code", RULES)
def test_each_rule_has_its_page_whose_wrong_example_is_reported_and_whose_repaired_one_is_not(
    code: str, tmp_path: pathlib.Path
) -> None:
    page = (_PAGES / f"{code}.md").read_text()
    assert page.startswith(f"# {code}: {RULES[code].name}\n")
    wrong, repaired = re.findall(r"```python no-run\n(.*?)```", page, re.DOTALL)
    assert {finding.rule.code for finding in report(tmp_path, app=wrong).findings} == {code}
    assert report(tmp_path, app=repaired).is_clean


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("global df\ndf = value", "DS101"),
        ("global df\ndel df", "DS101"),
        ("global df\nfor df in value: pass", "DS101"),
        ("global df\nwith open(value) as df: pass", "DS101"),
        ("global json\nimport json", "DS101"),
        ("globals()['df'] = value", "DS101"),
        ("global n\nn += 1", "DS103"),
        ("state['n'] += 1", "DS103"),
        ("mine = array\nmine *= 2", "DS103"),
        ("df.loc[df.a > 1, 'b'] = value", "DS104"),
        ("del state[value]", "DS104"),
        ("array[0:2] = value", "DS104"),
        ("view = array[:2]\nview[0] = value", "DS104"),
        ("df.values[0] = 1", "DS104"),
        ("for item in items:\n    item['x'] = value", "DS104"),
        ("state['a']['b'] = value", "DS104"),
        ("(first := state)['a'] = value", "DS104"),
        ("both = [df, value]\nfor each in both:\n    each['x'] = 1", "DS104"),
        ("df.columns = value", "DS105"),
        ("setattr(df, 'x', value)", "DS105"),
        ("items.append(value)", "DS106"),
        ("df.drop(columns='a', inplace=True)", "DS106"),
        ("df['a'].fillna(0, inplace=True)", "DS106"),
        ("array.sort()", "DS106"),
        ("np.add(array, 1, out=array)", "DS106"),
        ("random.shuffle(items)", "DS106"),
        ("state.setdefault(value, []).append(1)", "DS106"),
        ("[items.append(each) for each in value]", "DS106"),
        ("add = functools.partial(items.append)\nitems.extend(value)", "DS106"),
        ("if value not in state:\n    state[value] = 1", "DS110"),
        ("try:\n    return state[value]\nexcept KeyError:\n    state[value] = 1", "DS110"),
        ("known = state.get(value)\nif known is None:\n    state[value] = 1", "DS110"),
        ("os.environ['A'] = value", "DS111"),
        ("random.seed(1)", "DS111"),
        ("app.layout = html.Div()", "DS111"),
        ("with open('log.txt', 'a') as file:\n    file.write(value)", "DS112"),
        ("df.to_csv(os.path.join('out', 'result.csv'))", "DS112"),
    ],
)
def test_a_callback_that_changes_what_it_does_not_own_is_reported(
    body: str, code: str, tmp_path: pathlib.Path
) -> None:
    assert found(tmp_path, body) == [code]


@pytest.mark.parametrize(
    "body",
    [
        "df = value\ndf['x'] = 1",
        "mine = df.copy()\nmine['x'] = 1",
        "mine = df[df['a'] > value]\nmine['x'] = 1",
        "mine = df[['a', 'b']]\nmine['x'] = 1",
        "mine = df.loc[df.a.isin(value)]\nmine['x'] = 1",
        "mine = df.assign(x=1)\nmine.drop(columns='a', inplace=True)",
        "mine = list(items)\nmine.append(value)",
        "mine = items[:]\nmine.append(value)",
        "mine = {**state}\nmine['x'] = value",
        "mine = sorted(items)\nmine.sort()",
        "mine = array + 1\nmine += 1",
        "total = len(items)\ntotal += 1",
        "text = state['a']\ntext += 'b'",
        "mine = [each for each in items]\nmine.append(value)",
        "def inner():\n    nonlocal value\n    value = 1\ninner()",
        "local = []\ndef add(x):\n    local.append(x)\nadd(value)",
        "figure = {'data': [], 'layout': state}\nfigure['data'].append(value)",
        "logging.getLogger().setLevel(10)",
        "threading.Lock().acquire()",
        "dash.ctx.record_timing('a', 1)",
        "dash.set_props('a', {'b': value})",
        "patch = dash.Patch()\npatch['a'] = value",
        "open('data.csv').read()",
        "open(f'{value}.csv', 'w').write('a')",
        "df.to_csv(index=False)",
        "return df[df.a == value].to_dict('records')",
        "value.append(1)",
        "value.setdefault(**state)",
    ],
)
def test_a_callback_that_changes_only_its_own_is_silent(body: str, tmp_path: pathlib.Path) -> None:
    assert found(tmp_path, body) == []


_CALLBACK = "@app.callback(Output('a', 'b'), Input('c', 'd'))\n"
_UPDATE = "def update(value): items.append(value)"


@pytest.mark.parametrize(
    "registered",
    [
        _CALLBACK + _UPDATE,
        "@dash.callback(Output('a', 'b'), Input('c', 'd'), background=True)\n" + _UPDATE,
        "from dash import callback as on\n@on(Output('a', 'b'), Input('c', 'd'))\n" + _UPDATE,
        _UPDATE + "\napp.callback(Output('a', 'b'), Input('c', 'd'))(update)",
        "app.callback(Output('a', 'b'), Input('c', 'd'))(lambda value: items.append(value))",
        _CALLBACK + "async " + _UPDATE,
        "def register(app):\n" + textwrap.indent(_CALLBACK + _UPDATE, "    "),
        "@monitored(Output('a', 'b'), [Input('c', 'd')])\n" + _UPDATE,
        "def layout():\n    items.append(1)\napp.layout = layout",
        "dash.register_page(__name__)\ndef layout(**_):\n    items.append(1)",
        (
            "class A:\n  def __init__(self, app): app.callback(Output('a', 'b'))(self.run)\n"
            "  def run(self): items.append(1)"
        ),
        (
            "partial = functools.partial(lambda x, value: items.append(value), 1)\n"
            "app.callback(Output('a', 'b'), Input('c', 'd'))(partial)"
        ),
    ],
)
def test_callbacks_are_found_by_meaning(registered: str, tmp_path: pathlib.Path) -> None:
    result = report(tmp_path, app=textwrap.dedent(_HEAD) + registered)
    assert [finding.rule.code for finding in result.findings] == ["DS106"]


@pytest.mark.parametrize(
    "silent",
    [
        "def not_called(): items.append(1)",
        "app.clientside_callback('x', Output('a', 'b'), Input('c', 'd'))\n" + _UPDATE,
        "@app.server.route('/x')\ndef route(): items.append(1)",
        "items.append(1)",
    ],
)
def test_what_dash_does_not_call_is_left_alone(silent: str, tmp_path: pathlib.Path) -> None:
    assert report(tmp_path, app=textwrap.dedent(_HEAD) + silent).is_clean


def test_a_mutation_three_calls_away_is_reported_at_the_callback_with_the_path_to_it(
    tmp_path: pathlib.Path,
) -> None:
    result = report(
        tmp_path,
        data="state = {'n': 0}\n",
        store="""
            from data import state as shared

            def put(target, key):
                target[key] = 1

            def save(key):
                put(shared, key)
            """,
        app="""
            import store
            from dash import Input, Output, callback

            @callback(Output("a", "b"), Input("c", "d"))
            def update(value):
                return relay(value)

            def relay(value):
                if value:
                    return relay(value - 1)
                store.save(value)
            """,
    )
    (finding,) = result.findings
    assert (finding.rule.code, finding.name, finding.site.line) == ("DS104", "`state`", 7)
    assert [step.callee for step in finding.path] == ["relay", "save", "put"]
    assert (finding.mutation.module.path.name, finding.mutation.line) == ("store.py", 5)


def test_a_line_that_may_change_one_of_several_objects_is_reported_the_same_in_each_run(
    tmp_path: pathlib.Path,
) -> None:
    body = "mine = df if value else items if array else state\nmine.clear()"
    found(tmp_path, body)
    code = """
    import sys
    from dash_stash.lint.check import check
    print(check(sys.argv[1:]).findings[0].message)
    """
    told = {run_python(code, tmp_path, PYTHONHASHSEED=str(seed)) for seed in range(4)}
    assert told == {"callback update changes `df`, which all callbacks share"}


def test_a_method_that_changes_a_shared_object_is_followed(tmp_path: pathlib.Path) -> None:
    result = report(
        tmp_path,
        app="""
            from dash import Input, Output, callback

            class Base:
                def keep(self, value):
                    self.seen.append(value)

            class Log(Base):
                def __init__(self):
                    self.seen = []

            log = Log()

            @callback(Output("a", "b"), Input("c", "d"))
            def update(value):
                mine = Log()
                mine.keep(value)
                log.keep(value)
            """,
    )
    assert [(finding.rule.code, finding.site.line) for finding in result.findings] == [
        ("DS106", 18)
    ]


def test_a_comment_silences_a_finding_at_either_line(tmp_path: pathlib.Path) -> None:
    app = """
        from dash import Input, Output, callback
        items = []
        def add(x):
            items.append(x)  {inner}
        @callback(Output("a", "b"), Input("c", "d"))
        def update(value):
            add(value)  {outer}
        """
    for inner, outer, count in (
        ("", "", 1),
        ("# noqa: DS106", "", 0),
        ("", "# noqa", 0),
        ("# noqa: DS101, E501", "# noqa: DS1", 1),
    ):
        assert len(report(tmp_path, app=app.format(inner=inner, outer=outer)).findings) == count


def test_a_file_that_does_not_parse_is_one_line_and_the_rest_is_checked(
    tmp_path: pathlib.Path,
) -> None:
    bad = textwrap.dedent(_HEAD) + "@callback(Output('a', 'b'))\ndef f(): items.append(1)\n"
    result = report(tmp_path, broken="def (:\n", app=bad)
    assert [(pathlib.Path(each.path).name, each.line) for each in result.unreadable] == [
        ("broken.py", 1)
    ]
    assert len(result.findings) == 1


def test_tests_hidden_folders_and_environments_are_not_checked(tmp_path: pathlib.Path) -> None:
    bad = textwrap.dedent(_HEAD) + "@callback(Output('a', 'b'))\ndef f(): items.append(1)\n"
    for name in (
        "tests/app.py",
        "test_app.py",
        "conftest.py",
        ".hidden/app.py",
        "venv/app.py",
        "node_modules/app.py",
        "env9/app.py",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(bad)
    (tmp_path / "env9" / "pyvenv.cfg").touch()
    assert check([tmp_path]).is_clean
