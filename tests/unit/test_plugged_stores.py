"""Stores of other packages, found by the schemes of their URLs; each is really a package here."""

from __future__ import annotations

import json
import pathlib
import re
import textwrap
from typing import Any

import pytest
from click.testing import CliRunner

from dash_stash import Stash
from dash_stash.cli import main
from support import NAME, SECRET, run_python

STORE = """
    from dash_stash.stores.local import LocalStore

    class Shelf(LocalStore):
        opened = []

    def open_shelf(config):
        config.url.check_options("color")
        Shelf.opened.append(config)
        return Shelf(config.folder, config.sealing_key, config.limits, clock=config.clock)
"""


@pytest.fixture
def site(tmp_path: pathlib.Path) -> pathlib.Path:
    """Where packages are installed."""
    return tmp_path / "site"


def install(site: pathlib.Path, package: str, code: str, *points: str) -> None:
    """Install a package of one module, with entry points, as pip leaves it."""
    about = site / f"{package}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("\n".join(["[dash_stash.stores]", *points]))
    (site / f"{package.replace('-', '_')}.py").write_text(textwrap.dedent(code))


def run(site: pathlib.Path, code: str) -> Any:
    """Run code in a process in which the packages are installed, and return what it printed."""
    program = f"""
        import json, os, sys
        sys.path.append({str(site)!r})
        from dash_stash import ConfigError, Stash, StoreUnavailable

        def told(url, **options):
            try:
                Stash(url=url, secret={SECRET!r}, **options)
            except (ConfigError, StoreUnavailable) as error:
                notes = getattr(error, "__notes__", [])
                return "\\n".join([type(error).__name__, str(error), *notes])
    """
    return json.loads(run_python(textwrap.dedent(program) + textwrap.dedent(code)))


def test_the_store_of_another_package_is_used_by_its_scheme(site: pathlib.Path) -> None:
    install(site, "stash-shelf", STORE, "shelf = stash_shelf:open_shelf")
    found = run(
        site,
        f"""
        url = "shelf+fast://user:hidden@host:1/some%20path?color=red"
        stash = Stash(url=url, secret={SECRET!r}, max_entries=7, idle=60)
        calls = []

        @stash.memo(share=True)
        def double(n):
            calls.append(n)
            return 2 * n

        import stash_shelf
        (config,) = stash_shelf.Shelf.opened
        stash.app["name"] = "value"
        again = Stash(url=url, secret={SECRET!r})
        print(json.dumps({{
            "values": [double(2), double(2), double.ref(2).get(), calls],
            "variable": again.app["name"],
            "kind": type(stash._deployment.store).__name__,
            "url": [config.url.scheme, config.url.way, config.url.user, config.url.hosts,
                    config.url.path, str(config.url.file_path), dict(config.url.options)],
            "name": config.name,
            "limits": [config.limits.max_entries, config.limits.idle],
            "folder": str(config.folder),
            "repr": repr(config),
        }}))
        """,
    )
    assert found["values"] == [4, 4, 4, [2]]
    assert found["variable"] == "value"
    assert found["kind"] == "Shelf"
    assert found["url"] == [
        *("shelf", "fast", "user:hidden", "host:1"),
        *("/some%20path", "/some path", {"color": "red"}),
    ]
    assert (found["name"], found["limits"]) == (NAME, [7, 60.0])
    assert pathlib.Path(found["folder"]).name == NAME
    assert pathlib.Path(found["folder"]).parent.name.startswith("near-shelf-")
    assert "hidden" not in found["repr"]
    assert "sealing_key" not in found["repr"]


def test_urls_that_name_other_data_have_folders_of_their_own(site: pathlib.Path) -> None:
    install(site, "stash-shelf", STORE, "shelf = stash_shelf:open_shelf")
    folders = run(
        site,
        f"""
        urls = ["shelf://a/1", "shelf://b/1", "shelf://a/2", "shelf://a/1?color=red"]
        urls.append("shelf://u:p@a/1")
        folders = [Stash(url=url, secret={SECRET!r})._deployment.store.folder for url in urls]
        print(json.dumps(list(map(str, folders))))
        """,
    )
    assert len(set(folders[:4])) == 4
    assert folders[4] == folders[0], "another password does not make it other data"


def test_the_store_of_another_package_needs_a_secret(site: pathlib.Path) -> None:
    install(site, "stash-shelf", STORE, "shelf = stash_shelf:open_shelf")
    found = run(
        site,
        """
        try:
            Stash(url="shelf://host")
        except ConfigError as error:
            print(json.dumps(str(error)))
        """,
    )
    assert "dash-stash secret" in found


def test_an_unknown_scheme_is_refused_with_those_that_there_are(site: pathlib.Path) -> None:
    install(site, "stash-shelf", STORE, "shelf = stash_shelf:open_shelf")
    error = run(site, 'print(json.dumps(told("memcached://:hidden@cache?a=hidden")))')
    for part in ("memcached://", "file:///", "redis://", "dash-stash[redis]", "shelf://"):
        assert part in error
    assert "the package stash-shelf" in error
    assert "hidden" not in error


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import a_library_that_is_not_there", "a_library_that_is_not_there"),
        ("def open_shelf(config): raise OSError('no such shelf')", "OSError: no such shelf"),
        ("def open_shelf(config): return {}", "a dict, which is not a store.*commit"),
        ("def open_shelf(): pass", "TypeError"),
        ("", "open_shelf"),
        (
            "class Half: read = print\ndef open_shelf(config): return Half()",
            "a Half, which is not a store: it has no clock, join, commit",
        ),
        (
            """
            class Far:
                @property
                def clock(self):
                    raise OSError("no answer")

            def open_shelf(config):
                return Far()
            """,
            "OSError: no answer",
        ),
    ],
)
def test_a_package_whose_store_cannot_be_opened_is_named(
    site: pathlib.Path, code: str, says: str
) -> None:
    install(site, "stash-shelf", code, "shelf = stash_shelf:open_shelf")
    error = run(site, 'print(json.dumps(told("shelf://:hidden@host")))')
    assert error.startswith("ConfigError")
    assert re.search(says, error)
    assert "stash_shelf:open_shelf of the package stash-shelf" in error
    assert "hidden" not in error


def test_an_error_of_ours_passes_and_says_whose_store_it_was(site: pathlib.Path) -> None:
    code = """
        from dash_stash import StoreUnavailable

        def open_shelf(config):
            config.url.check_options()
            raise StoreUnavailable("the shelf", "it is locked")
    """
    install(site, "stash-shelf", code, "shelf = stash_shelf:open_shelf")
    locked, option = run(
        site, 'print(json.dumps([told("shelf://host"), told("shelf://host?color=red")]))'
    )
    assert locked.startswith("StoreUnavailable")
    assert "it is locked" in locked
    assert option.startswith("ConfigError")
    assert "there is no option color" in option
    for error in (locked, option):
        assert "the package stash-shelf" in error


def test_of_two_packages_with_one_scheme_none_is_taken(site: pathlib.Path) -> None:
    for package in ("stash-shelf", "other-shelf"):
        install(site, package, STORE, f"shelf = {package.replace('-', '_')}:open_shelf")
    error = run(site, 'print(json.dumps(told("shelf://host")))')
    assert "stash-shelf" in error
    assert "other-shelf" in error


def test_no_package_takes_the_place_of_our_own_stores(
    site: pathlib.Path, folder: pathlib.Path
) -> None:
    install(site, "stash-shelf", STORE, "file = stash_shelf:open_shelf")
    url = f"file://{folder}"
    kind = run(site, f"print(json.dumps(type(Stash(url={url!r})._deployment.store).__name__))")
    assert kind == "LocalStore"


def test_entry_points_are_read_only_for_schemes_that_are_not_ours(
    site: pathlib.Path, folder: pathlib.Path
) -> None:
    install(site, "stash-shelf", STORE, "shelf = stash_shelf:open_shelf")
    looks = run(
        site,
        f"""
        looks = []

        class Watching:
            @staticmethod
            def find_spec(name, path=None, target=None):
                return None

            @staticmethod
            def find_distributions(context=None):
                looks.append(1)
                return ()

        sys.meta_path.append(Watching)
        counts = []
        for url in ("file://{folder}", "redis://127.0.0.1:1", "shelf://host"):
            Stash(url=url, secret={SECRET!r})
            counts.append(len(looks))
        print(json.dumps(counts))
        """,
    )
    assert looks[:2] == [0, 0]
    assert looks[2] > 0


def test_where_prints_the_folder_of_another_packages_store(
    site: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "stash-shelf", STORE, "shelf = stash_shelf:open_shelf")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("DASH_STASH_URL", "shelf://host/1")
    printed = CliRunner().invoke(main, ["where", "--name", "sales"]).output.splitlines()
    stash = Stash(name="sales", secret=SECRET)
    assert printed == [str(stash._deployment.store.folder)]  # type: ignore[attr-defined]
