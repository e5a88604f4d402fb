"""Where things lie: predictable, private, printed by `dash-stash where`; and what is refused."""

from __future__ import annotations

import os
import pathlib
import stat

import pytest
from click.testing import CliRunner
from dash import Dash

from dash_stash import ConfigError, Ref, RefInvalid, Stash, StoreUnsafe
from dash_stash.cli import main
from dash_stash.stores.local import LocalStore
from support import LIMITS, NAME, SEALING_KEY


@pytest.fixture
def url(folder: pathlib.Path) -> str:
    return f"file://{folder}"


def _mode(path: pathlib.Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def _local(stash: Stash) -> LocalStore:
    assert isinstance(stash._deployment.store, LocalStore)
    return stash._deployment.store


def _where(*arguments: object) -> list[str]:
    ran = CliRunner().invoke(main, ["where", *map(str, arguments)])
    assert ran.exit_code == 0, ran.output
    return ran.output.splitlines()


# Places


def test_an_app_has_a_folder_of_its_own_in_the_users_cache(
    home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _local(Stash(Dash(__name__))).folder == home / ".cache" / "dash-stash" / "named" / NAME
    monkeypatch.delenv("DASH_STASH_NAME")
    place = _local(Stash(Dash(__name__))).folder
    assert place.parent.parent == home / ".cache" / "dash-stash"
    assert place.parent.name.startswith("test_folders-")
    assert place.name == "test_folders"


@pytest.mark.parametrize("named", [True, False])
def test_where_tells_the_folder_before_and_after_the_app_ran(
    named: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not named:
        monkeypatch.delenv("DASH_STASH_NAME")
    before = _where(__file__)
    assert before == [str(_local(Stash(Dash(__name__))).folder)] == _where(__file__)


def test_where_lists_the_folders_of_all_apps_that_have_stored_something(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DASH_STASH_NAME")
    for url in (None, f"file://{folder}"):
        assert _where() == []
        for name in (None, "other", "third"):
            stash = Stash(Dash(__name__), url, name=name)
            if name != "third":
                stash.app["x"] = 1
        assert [pathlib.Path(place).name for place in _where()] == ["other", "test_folders"]
        monkeypatch.setenv("DASH_STASH_URL", f"file://{folder}")


def test_the_cache_may_be_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert _local(Stash(Dash(__name__))).folder.parent.parent == tmp_path / "caches" / "dash-stash"


def test_the_environment_names_the_folder(
    monkeypatch: pytest.MonkeyPatch, folder: pathlib.Path
) -> None:
    monkeypatch.setenv("DASH_STASH_URL", f"file://{folder}")
    assert _local(Stash(Dash(__name__))).folder == folder / NAME == _local(Stash()).folder
    assert _where(__file__) == _where() == [str(folder / NAME)]


def test_what_the_code_says_goes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setenv("DASH_STASH_URL", f"file://{tmp_path}/other")
    assert _local(Stash(url=f"file://{folder}")).folder == folder / NAME


def test_where_says_what_is_wrong_with_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASH_STASH_URL", "memcached://cache")
    ran = CliRunner().invoke(main, ["where"])
    assert ran.exit_code == 1
    assert "file:///" in ran.output
    assert "Traceback" not in ran.output


def test_a_stash_without_an_app_and_a_url_says_what_it_needs() -> None:
    stash = Stash()
    memo = stash.memo(lambda: 1)
    for use in (
        lambda: stash.put(1, share=True),
        memo,
        lambda: stash.app.get("x"),
        lambda: stash.forget(tag="t"),
        lambda: stash.ref("stash:" + "A" * 80),
    ):
        with pytest.raises(ConfigError, match="init_app"):
            use()


def test_memo_functions_can_be_made_before_the_app() -> None:
    stash = Stash()
    square = stash.memo(lambda n: n * n)
    stash.init_app(Dash(__name__))
    assert square(3) == 9


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv/cache",
        "file://srv/cache",
        "file:cache",
        "file://host/srv",
        "http://a/b",
        "file:///srv?color=red",
        "C:\\cache",
    ],
)
def test_a_url_that_is_no_store_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"url|app"):
        Stash(url=url).put(1, share=True)


def test_a_folder_may_have_any_name(tmp_path: pathlib.Path) -> None:
    for name, quoted in (
        ("with space", "with%20space"),
        ("größe", "größe"),
        ("100%", "100%25"),
        ("a#b", "a%23b"),
    ):
        stash = Stash(url=f"file://{tmp_path}/{quoted}")
        assert stash.put(1, share=True).get() == 1
        assert _local(stash).folder == tmp_path / name / NAME


# Privacy


def test_everything_in_the_folder_is_the_users_alone(stash: Stash, folder: pathlib.Path) -> None:
    previous = os.umask(0)
    try:
        stash.put(b"x" * 10**5, share=True)
        stash.memo(lambda: 1)()
        stash.app["x"] = 1
    finally:
        os.umask(previous)
    assert _mode(folder) == 0o700
    folders = [path for path in folder.rglob("*") if path.is_dir()]
    assert folders
    assert {_mode(path) for path in folders} == {0o700}
    open_to_others = {
        str(path) for path in folder.rglob("*") if path.is_file() and _mode(path) & 0o077
    }
    assert open_to_others <= {
        str(path) for path in folder.glob("*/index.sqlite*")
    }  # in a folder that nobody else may enter


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o720, 0o702])
def test_a_folder_that_others_can_write_to_is_refused(folder: pathlib.Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StoreUnsafe, match=f"{mode:o}.*chmod 700"):
        Stash(url=f"file://{folder}")
    folder.chmod(0o700)
    (folder / NAME).mkdir()
    (folder / NAME).chmod(mode)
    with pytest.raises(StoreUnsafe, match=f"{NAME}.*{mode:o}.*chmod 700"):
        Stash(url=f"file://{folder}")


def test_a_link_is_refused(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "target").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "target")
    with pytest.raises(StoreUnsafe, match="link"):
        Stash(url=f"file://{folder}")


def test_a_file_is_refused(folder: pathlib.Path) -> None:
    folder.touch()
    with pytest.raises(StoreUnsafe, match="not a folder"):
        Stash(url=f"file://{folder}")


def test_another_users_folder_is_refused(
    folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(mode=0o700)
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    with pytest.raises(StoreUnsafe, match=f"belongs to user {uid}"):
        LocalStore(folder, SEALING_KEY, LIMITS)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnsafe):
        Stash(url=f"file://{tmp_path}/file/stash")


# The secret


def test_the_secret_lies_outside_the_store_and_only_the_user_can_read_it(
    home: pathlib.Path,
) -> None:
    stash = Stash(Dash(__name__))
    (secret,) = (home / ".local" / "state" / "dash-stash").iterdir()
    assert _mode(secret) == 0o600
    assert _mode(secret.parent) == 0o700
    assert not secret.is_relative_to(_local(stash).folder)
    assert len(secret.read_bytes()) >= 32


def test_all_processes_of_a_folder_have_one_secret(folder: pathlib.Path) -> None:
    ref = Stash(url=f"file://{folder}").put(1, share=True)
    assert Stash(url=f"file://{folder}").ref(ref).get() == 1


def test_folders_have_secrets_of_their_own(tmp_path: pathlib.Path) -> None:
    ref = Stash(url=f"file://{tmp_path}/one").put(1, share=True)
    with pytest.raises(RefInvalid):
        Stash(url=f"file://{tmp_path}/other").ref(ref)


def test_the_environment_gives_the_secret(
    monkeypatch: pytest.MonkeyPatch, folder: pathlib.Path, home: pathlib.Path
) -> None:
    monkeypatch.setenv("DASH_STASH_SECRET", "a secret of at least 16 bytes")
    ref: Ref[int] = Stash(url=f"file://{folder}").put(1, share=True)
    assert (
        Stash(url=f"file://{folder}", secret=b"a secret of at least 16 bytes").ref(ref).get() == 1
    )
    assert not (home / ".local").exists()


@pytest.mark.parametrize("secret", ["short", b"short", "x" * 15])
def test_a_short_secret_is_refused(folder: pathlib.Path, secret: str | bytes) -> None:
    with pytest.raises(ConfigError, match=r"at least 16.*dash-stash secret") as caught:
        Stash(url=f"file://{folder}", secret=secret)
    assert "short" not in str(caught.value)


def test_a_secret_of_16_bytes_is_long_enough(folder: pathlib.Path) -> None:
    assert Stash(url=f"file://{folder}", secret="x" * 16).put(1, share=True).get() == 1


def test_an_empty_secret_is_refused_instead_of_replaced(folder: pathlib.Path) -> None:
    """`secret=os.environ.get("MY_SECRET", "")` must not become a secret of this machine alone."""
    with pytest.raises(ConfigError, match="at least 16"):
        Stash(url=f"file://{folder}", secret="")


@pytest.mark.parametrize(
    "budget",
    [
        {"max_bytes": 0},
        {"max_entries": 0},
        {"max_bytes": -1},
        {"max_sessions": 0},
        {"max_session_bytes": 0},
    ],
)
def test_a_budget_of_nothing_is_refused(folder: pathlib.Path, budget: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="more than 0"):
        Stash(url=f"file://{folder}", **budget)  # type: ignore[arg-type]
