"""The names of apps: those of different names share nothing."""

from __future__ import annotations

import json
import logging
import os
import pathlib
import subprocess
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from dash import Dash, Input, Output, dcc, html

from dash_stash import ConfigError, RefInvalid, Stash, naming
from dash_stash.cli import main
from dash_stash.stores.local import LocalStore
from servers import Server
from support import NAME, SECRET
from unit.pages import Page


@pytest.fixture
def unnamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the name of the tests away."""
    monkeypatch.delenv("DASH_STASH_NAME")


def _write(path: pathlib.Path, source: str) -> pathlib.Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(source))
    return path


def _run(*command: object, cwd: pathlib.Path, **environment: str) -> list[str]:
    """Return the lines that a program prints, and see that it ends well."""
    ran = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def _folder(stash: Stash) -> pathlib.Path:
    assert isinstance(stash._deployment.store, LocalStore)
    return stash._deployment.store.folder


# What it is called


def test_without_a_name_it_is_that_of_the_module_that_makes_the_stash(
    unnamed: None, folder: pathlib.Path
) -> None:
    assert (
        Stash(url=f"file://{folder}").name
        == naming.of_file(pathlib.Path(__file__))
        == "test_naming"
    )


def test_the_code_goes_before_the_environment_and_that_before_the_module(
    folder: pathlib.Path,
) -> None:
    assert Stash(url=f"file://{folder}").name == NAME
    assert Stash(url=f"file://{folder}", name="mine").name == "mine"


_APP = """
from dash import Dash, html
from dash_stash import Stash

def create_app():
    app = Dash(__name__)
    app.layout = html.Div()
    return Stash(app, "file://{folder}", secret="a secret for the tests only")

stash = create_app()
if __name__ != "__mp_main__":
    print(stash.name)
"""
_SPAWNING = """
import multiprocessing

def report():
    return stash.name

if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            print(pool.apply(report))
"""

_RUNPY = "import runpy, sys; sys.path.insert(0, 'shop')"
_SPEC = (
    "import importlib.util; spec = importlib.util.spec_from_file_location('_wsgi_1', 'shop/app.py')"
)


@pytest.mark.parametrize(
    "command",
    [
        ["shop/app.py"],
        ["-m", "shop.app"],
        ["-c", "import shop.app"],
        ["-m", "shop.job"],
        [
            "-c",
            f"{_RUNPY}; runpy.run_path('shop/app.py', run_name='__main__')",
        ],
        [
            "-c",
            f"{_SPEC}; spec.loader.exec_module(importlib.util.module_from_spec(spec))",
        ],
    ],
    ids=[
        "a script",
        "a module as the program",
        "an import",
        "a job that imports it",
        "runpy",
        "a server that names modules itself",
    ],
)
def test_an_app_is_called_the_same_however_it_is_started(
    command: list[str], unnamed: None, tmp_path: pathlib.Path
) -> None:
    source = _APP.replace("{folder}", str(tmp_path / "stash"))
    _write(tmp_path / "shop" / "app.py", source)
    _write(tmp_path / "shop" / "__init__.py", "")
    _write(tmp_path / "shop" / "job.py", "import shop.app\n")
    assert _run(*command, cwd=tmp_path) == ["shop.app"]


def test_children_of_every_kind_are_the_same_app(unnamed: None, tmp_path: pathlib.Path) -> None:
    _write(tmp_path / "app.py", _APP.replace("{folder}", str(tmp_path / "stash")) + _SPAWNING)
    assert set(_run("app.py", cwd=tmp_path)) == {"app"}


@pytest.mark.parametrize("file", ["my app.py", "größe.py", "x" * 120 + ".py", "-.py"])
def test_a_file_of_any_name_has_a_name_of_its_own(
    file: str, unnamed: None, tmp_path: pathlib.Path
) -> None:
    script = _write(tmp_path / file, _APP.replace("{folder}", str(tmp_path / "stash")))
    (name,) = _run("./" + script.name, cwd=tmp_path)
    assert (tmp_path / "stash" / name / "slots").parent.is_dir()
    assert name == naming.of_file(script)
    assert (
        naming.of_file(tmp_path / "my_app.py") == "my_app" != naming.of_file(tmp_path / "my app.py")
    )
    with pytest.raises(ConfigError):
        Stash(name=naming.of_file(tmp_path / "my app.py"))  # nobody can give such a name


def test_a_name_has_a_hundred_characters_at_most(folder: pathlib.Path) -> None:
    assert Stash(url=folder.as_uri(), name="x" * 100).name == "x" * 100
    with pytest.raises(ConfigError, match="at most 100"):
        Stash(name="x" * 101)


@pytest.mark.parametrize(
    "name", ["", "a/b", "..", ".", "-a", "a b", "größe", "a:b", "a~b", "x" * 101, 3, b"app"]
)
def test_what_cannot_be_a_name_is_refused(name: Any) -> None:
    with pytest.raises(ConfigError, match=r"name=.*letters.*digits"):
        Stash(name=name)


def test_a_name_of_the_environment_that_cannot_be_one_is_refused_by_the_variables_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DASH_STASH_NAME", "a/b")
    with pytest.raises(ConfigError, match="DASH_STASH_NAME='a/b' cannot be a name"):
        Stash()
    ran = CliRunner().invoke(main, ["where"])
    assert (ran.exit_code, "DASH_STASH_NAME" in ran.output) == (1, True)


# Notebooks and shells

_IMPORTS = "import sys; from dash_stash import Stash; "
_CELLS = f"{_IMPORTS}[print(Stash(url=f'file://{{sys.argv[1]}}').name) for _ in 'ab']"


def test_shells_are_apart_and_each_is_one_app(unnamed: None, folder: pathlib.Path) -> None:
    first, other = (_run("-c", _CELLS, folder, cwd=folder.parent) for _ in range(2))
    assert first[0] == first[1]
    assert other[0] == other[1] != first[0]


def test_what_an_ended_shell_has_stored_is_removed_and_what_a_living_one_has_is_not(
    unnamed: None, folder: pathlib.Path
) -> None:
    _run("-c", _CELLS, folder, cwd=folder.parent)
    code = f"{_IMPORTS}print(Stash(url=f'file://{{sys.argv[1]}}').name, flush=True)"
    code += "; sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as living:
        assert living.stdout is not None
        name = living.stdout.readline().strip()
        (later, _) = _run("-c", _CELLS, folder, cwd=folder.parent)
        assert {path.name for path in folder.iterdir()} == {name, later}
        living.communicate("")


def test_a_notebook_is_known_by_its_file_and_others_of_its_folder_are_apart(
    unnamed: None, folder: pathlib.Path
) -> None:
    kernel = (
        _run("-c", _CELLS, folder, cwd=folder.parent, JPY_SESSION_NAME=f"/home/ann/{name}.ipynb")[0]
        for name in "aab"
    )
    first, restarted, other = kernel
    assert first == restarted != other
    assert first.startswith("a.ipynb~")


def test_a_kernel_that_a_notebook_has_started_is_not_that_notebook(
    unnamed: None, folder: pathlib.Path
) -> None:
    """Papermill starts kernels in the environment of the notebook that calls it."""
    command = f"[sys.executable, '-c', {_CELLS!r}, *sys.argv[1:]]"
    code = f"import subprocess, sys; subprocess.run({command}, check=True)"
    started = _run("-c", code, folder, cwd=folder.parent, JPY_SESSION_NAME="/home/ann/a.ipynb")
    assert started[0].startswith("interactive~")


def test_a_notebook_of_vs_code_is_known_by_its_file(unnamed: None, folder: pathlib.Path) -> None:
    def cell(notebook: str) -> str:
        variables: dict[str, Any] = {
            "__name__": "__main__",
            "__vsc_ipynb_file__": notebook,
            "Stash": Stash,
            "url": f"file://{folder}",
        }
        exec("name = Stash(url=url).name", variables)
        return str(variables["name"])

    assert cell("/a/x.ipynb") == cell("/a/x.ipynb") != cell("/b/x.ipynb")


# Apart


def _app(stash: Callable[[Dash], Stash]) -> Dash:
    app = Dash(__name__)
    app.layout = html.Div([dcc.Store(id="n"), dcc.Store(id="ref"), dcc.Store(id="opened")])
    made = stash(app)

    @app.callback(Output("n", "data"), Input("go", "n_clicks"))
    def count(_: int) -> int:
        counted: int = made.session.modify("n", lambda n: n + 1, default=0)
        return counted

    @app.callback(Output("ref", "data"), Input("go", "n_clicks"))
    def put(_: int) -> str:
        return made.put("mine")

    @app.callback(Output("opened", "data"), Input("ref", "data"))
    def opened(value: Any) -> Any:
        return value

    return app


def test_apps_of_different_names_share_nothing_whatever_else_they_share(url: str) -> None:
    one, other, same = (
        Stash(url=url, secret=SECRET, name=name) for name in ("one", "other", "one")
    )
    calls = []

    def double(n: int) -> int:
        calls.append(n)
        return 2 * n

    memos = [stash.memo(ignore="calls")(double) for stash in (one, other, same)]
    assert [memo(1) for memo in memos] == [2, 2, 2]
    assert calls == [1, 1], "the one that has the same name is the same app"
    one.app["x"] = 1
    assert ("x" in other.app, same.app["x"]) == (False, 1)
    ref = one.put("mine", share=True)
    assert same.ref(ref).get() == "mine"
    with pytest.raises(RefInvalid):
        other.ref(ref)
    other.app.clear()
    other.forget(tag="t")
    assert (memos[0](1), one.app["x"], one.ref(ref).get()) == (2, 1, "mine")


def test_a_browser_of_two_apps_on_one_host_has_two_sessions(url: str) -> None:
    pages = {
        name: Page(_app(lambda app, name=name: Stash(app, url, secret=SECRET, name=name)))  # type: ignore[misc]
        for name in ("one", "other")
    }
    ref = pages["one"].call("ref.data", ("go", "n_clicks", 1))
    assert pages["one"].call("n.data", ("go", "n_clicks", 1)) == 1
    cookies = {
        name: {cookie.key for cookie in page.browser._cookies.values()}
        for name, page in pages.items()
    }
    assert not cookies["one"] & cookies["other"], "the names of the cookies"
    # Both apps get all cookies of the host, and an attacker may call one by the other's name.
    for cookie in pages["one"].browser._cookies.values():
        (theirs,) = cookies["other"]
        pages["other"].browser.set_cookie(theirs, cookie.value)
    refused = pages["other"].post("opened.data", ("ref", "data", ref))
    assert refused.status_code == 403


def test_keys_on_the_server_begin_with_the_prefix_and_the_name(server: Server) -> None:
    server.ask("FLUSHALL")
    stash = Stash(
        url=f"{server.url}?prefix=staging", secret=SECRET, name="shop", user=lambda: "ann"
    )
    stash.app["x"] = b"x" * 10**5
    stash.memo(tags=["t"])(lambda: b"y" * 10**5)()
    stash.forget(tag="t")
    names = server.ask("KEYS", "*")
    assert isinstance(names, list)
    assert names
    assert [name for name in names if not name.startswith(b"staging:shop:")] == []


@pytest.mark.parametrize(
    "others",
    [
        ("?prefix=staging", "?prefix=production"),
        ("/1", "/2"),
        ("?db=1", "?db=2"),
    ],
    ids=["prefixes", "databases", "databases as options"],
)
def test_staging_and_production_of_one_server_share_nothing_on_the_machine(
    server: Server, others: tuple[str, str]
) -> None:
    """Else one computes, and fails, for the other's callers."""
    places = {_near(Stash(url=f"redis://127.0.0.1:1{other}", secret=SECRET)) for other in others}
    assert len(places) == 2


def test_a_new_password_or_another_way_to_the_server_keeps_what_the_machine_has_of_it() -> None:
    urls = ("redis://cache/3", "redis://:old@cache/3", "redis://user:new@cache/3?push=1")
    assert len({_near(Stash(url=url, secret=SECRET, name="shop")) for url in urls}) == 1


def _near(stash: Stash) -> pathlib.Path:
    near: pathlib.Path = stash._deployment.store._local.folder  # type: ignore[attr-defined]
    return near


def test_where_prints_where_the_machine_keeps_what_it_has_of_a_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = "redis://user:hidden@127.0.0.1:1/3?prefix=staging"
    monkeypatch.setenv("DASH_STASH_URL", url)
    expected = str(_near(Stash(secret=SECRET, name="shop")))
    assert _where("--name", "shop") == [expected]
    assert "hidden" not in expected


# Places


def _where(*arguments: object) -> list[str]:
    ran = CliRunner().invoke(main, ["where", *map(str, arguments)])
    assert ran.exit_code == 0, ran.output
    return ran.output.splitlines()


def test_a_deploy_into_a_new_folder_keeps_data_and_secret_if_the_app_has_a_name(
    unnamed: None, home: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    source = """
    import sys
    from dash import Dash
    from dash_stash import Stash
    app = Dash(__name__)
    stash = Stash(app)
    print(stash.app.modify("n", lambda n: n + 1, default=0), stash._deployment.store.folder)
    """
    apps = [_write(tmp_path / release / "app.py", source) for release in ("1", "2")]
    for variables, counts in (({}, ["1", "1"]), ({"DASH_STASH_NAME": "shop"}, ["1", "2"])):
        printed = [_run(app, cwd=tmp_path, **variables)[0].split() for app in apps]
        assert [count for count, _ in printed] == counts
        arguments: list[list[object]] = (
            [["--name", "shop"]] * 2 if variables else [[app] for app in apps]
        )
        assert [_where(*given) for given in arguments] == [[folder] for _, folder in printed]
        for _, folder in printed:
            assert pathlib.Path(folder).is_relative_to(home / ".cache" / "dash-stash")
    assert len(list((home / ".local" / "state" / "dash-stash").glob("*.secret"))) == 3, (
        "one of each release, one of those with names"
    )


def test_two_stashes_of_one_process_are_apart_if_two_modules_make_them(
    unnamed: None, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (
        "from dash import Dash\n"
        "from dash_stash import Stash\n"
        "stash = Stash(Dash(__name__))\n"
        "again = Stash(Dash(__name__))\n"
    )
    for name in ("sales", "stock"):
        _write(tmp_path / f"{name}.py", source)
    code = """
    import sales, stock
    print(*(each._deployment.store.folder for each in (sales.stash, stock.stash, sales.again)))
    sales.stash.app["x"] = 1
    print("x" in sales.again.app, "x" in stock.stash.app)
    """
    places, shared = _run("-c", textwrap.dedent(code), cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert len(set(places.split())) == 2
    assert shared == "True False"


def test_where_knows_an_app_whose_stash_is_made_in_another_file(
    unnamed: None, tmp_path: pathlib.Path
) -> None:
    _write(tmp_path / "cache.py", "from dash_stash import Stash\nstash = Stash()\n")
    app = _write(
        tmp_path / "app.py",
        (
            "from dash import Dash\n"
            "from cache import stash\n"
            "stash.init_app(Dash(__name__))\n"
            "stash.app['x'] = 1\n"
            "print(stash._deployment.store.folder)\n"
        ),
    )
    assert _run(app, cwd=tmp_path) == _where(app)


def test_a_stash_serves_apps_of_one_prefix_and_no_other(url: str) -> None:
    """As tests do that call a factory again and again.

    With two prefixes nobody would know whose variables are meant.
    """
    stash = Stash(url=url, secret=SECRET)
    stash.init_app(Dash("first"))
    stash.init_app(Dash("first again"))
    with pytest.raises(
        ConfigError, match=r"serves the app at /.*make another Stash for the app at /b"
    ):
        stash.init_app(Dash("second", url_base_pathname="/b/"))


# Different apps that meet under one name

_MEET = """
import logging, sys
logging.basicConfig(stream=sys.stdout, format="%(message)s")
from dash_stash import Stash
stash = Stash(url="URL", secret="a secret for the tests only")
stash.app.modify("n", lambda n: n + 1, default=0)
"""


def _met(url: str, app: pathlib.Path, **environment: str) -> str:
    """What an app says at its start."""
    if not app.exists():
        _write(app, _MEET.replace("URL", url))
    return "\n".join(_run(app, cwd=app.parent, **environment))


def test_two_files_of_one_name_are_warned_of_with_both_files_and_the_remedy(
    unnamed: None, url: str, tmp_path: pathlib.Path
) -> None:
    first, other = tmp_path / "a" / "app.py", tmp_path / "b" / "app.py"
    assert _met(url, first) == _met(url, first) == ""
    for _ in range(2):
        warned = _met(url, other)
        for word in ("'app'", str(first), str(other), "name=", "DASH_STASH_NAME"):
            assert word in warned
    assert _met(url, first) == ""
    assert _met(url, other, DASH_STASH_NAME="other") == ""


def test_a_file_that_was_moved_is_not_another_app(
    unnamed: None, url: str, tmp_path: pathlib.Path
) -> None:
    first, other = tmp_path / "a" / "app.py", tmp_path / "b" / "app.py"
    _met(url, first)
    first.unlink()
    assert _met(url, other) == ""


def test_files_of_one_given_name_are_one_app_and_not_warned_of(
    unnamed: None, url: str, tmp_path: pathlib.Path
) -> None:
    for folder in "ab":
        assert _met(url, tmp_path / folder / "app.py", DASH_STASH_NAME="shop") == ""
    assert "shop" in _met(url, tmp_path / "c" / "shop.py"), "the module of that name is another app"


@pytest.mark.parametrize(
    "kind", ["junk", "other json", "a link", "a pipe", "a folder", "huge", "no text"]
)
def test_what_is_laid_in_the_records_place_stops_nobody(
    kind: str,
    unnamed: None,
    folder: pathlib.Path,
    tmp_path: pathlib.Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    precious = _write(tmp_path / "precious", "precious")
    record = folder / "test_naming" / "owner"
    Stash(url=f"file://{folder}")
    record.unlink()
    match kind:
        case "a link":
            record.symlink_to(precious)
        case "a pipe":
            os.mkfifo(record)
        case "a folder":
            record.mkdir()
        case "huge":
            record.write_text(json.dumps(["/" * 10**6, False]))
        case "no text":
            record.write_text(json.dumps(["/etc/passwd\nforged line", False]))
        case _:
            record.write_text("junk" if kind == "junk" else '{"file": 1}')
    with caplog.at_level(logging.WARNING):
        Stash(url=f"file://{folder}").app["x"] = 1
    assert caplog.text == ""
    assert precious.read_text() == "precious"
