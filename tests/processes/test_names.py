"""One app under two names, and two apps in one process."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable

import flask
import pytest
from dash import Dash, Input, Output, dcc, html

from dash_stash import Ref, Stash
from support import lines, run_python

APPS = pathlib.Path(__file__).parent / "apps"


def _as_script(folder: pathlib.Path) -> str:
    """`python named.py`"""
    variables = {**os.environ, "STASH_TEST_FOLDER": str(folder)}
    script = subprocess.run(
        [sys.executable, APPS / "named.py"],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert script.returncode == 0, script.stderr
    return script.stdout.strip()


def _as_module(folder: pathlib.Path) -> str:
    """What `gunicorn named:server` imports."""
    return run_python(
        "import named; named.report()", PYTHONPATH=str(APPS), STASH_TEST_FOLDER=str(folder)
    )


@pytest.mark.parametrize(
    "order",
    [(_as_script, _as_module), (_as_module, _as_script)],
    ids=["the script first", "the module first"],
)
def test_a_script_and_a_module_share_values_of_the_apps_own_classes(
    order: tuple[Callable[[pathlib.Path], str], ...],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DASH_STASH_NAME")
    reports = [json.loads(run(tmp_path)) for run in (*order, *order)]
    assert reports == [{"x": 1, "is its own class": True, "imports": 1}] * 4
    assert len(lines(tmp_path / "computed")) == 1


def test_a_value_whose_class_is_gone_is_computed_again(folder: pathlib.Path) -> None:
    code = """
    import sys
    from dash_stash import Stash
    stash = Stash(url=f"file://{sys.argv[1]}", secret="a secret for the tests only")
    Old = type("Old", (), {"__module__": "yesterday"})
    if sys.argv[2] == "yesterday":
        sys.modules["yesterday"] = type(sys)("yesterday")
        sys.modules["yesterday"].Old = Old

    @stash.memo(ignore="result")
    def value(result=None):
        return result

    print(type(value(Old() if sys.argv[2] == "yesterday" else "new")).__name__)
    """
    assert run_python(code, folder, "yesterday") == "Old"
    assert run_python(code, folder, "today") == "str"


@pytest.fixture
def two_apps(request: pytest.FixtureRequest, folder: pathlib.Path) -> flask.Flask:
    """A server with an app at / and one at /b/, which share the store's folder.

    The parameter says which is made first.
    """
    server = flask.Flask(__name__)
    for prefix in request.param:
        app = Dash(__name__, server=server, url_base_pathname=prefix)
        stash = Stash(app, f"file://{folder}", secret="a secret for the tests only")
        app.layout = html.Div([dcc.Store(id="ask"), dcc.Store(id="put"), dcc.Store(id="opened")])

        @app.callback(Output("put", "data"), Input("ask", "data"))
        def put(value: str, stash: Stash = stash) -> Ref[str]:
            stash.session["value"] = stash.app["value"] = value
            return stash.put(value)

        @app.callback(Output("opened", "data"), Input("put", "data"))
        def opened(value: object, stash: Stash = stash) -> list[object]:
            return [value, stash.session.get("value"), stash.app.get("value")]

    return server


def _call(
    client: flask.testing.FlaskClient, prefix: str, output: str, prop: str, value: object
) -> flask.Response:
    body = {
        "output": f"{output}.data",
        "outputs": {"id": output, "property": "data"},
        "inputs": [{"id": prop, "property": "data", "value": value}],
        "changedPropIds": [f"{prop}.data"],
        "state": [],
    }
    return client.post(f"{prefix}_dash-update-component", json=body)  # type: ignore[return-value]


@pytest.mark.parametrize(
    "two_apps",
    [("/", "/b/"), ("/b/", "/")],
    indirect=True,
    ids=["the outer first", "the inner first"],
)
def test_two_apps_in_one_process_work_apart(two_apps: flask.Flask) -> None:
    client, references = two_apps.test_client(), {}
    for prefix in ("/", "/b/"):
        page = client.get(prefix).text
        scripts = re.findall(r'data-ids="[^"]*" data-prefix="([^"]*)"', page)
        assert scripts == [prefix], "a page is given the id of its own app's load, and no other's"
        references[prefix] = _call(client, prefix, "put", "ask", f"of {prefix}").json["response"][  # type: ignore[index]
            "put"
        ]["data"]
    for prefix, other in (("/", "/b/"), ("/b/", "/")):
        own = _call(client, prefix, "opened", "put", references[prefix])
        assert own.json["response"]["opened"]["data"] == [f"of {prefix}"] * 3  # type: ignore[index]
        assert _call(client, prefix, "opened", "put", references[other]).status_code == 403
