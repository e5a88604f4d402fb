"""With the store out of reach memo functions compute, all else says so, and nothing waits."""

from __future__ import annotations

import asyncio
import logging
import pathlib
from collections.abc import Sequence
from urllib.parse import unquote

import pytest
from dash import Dash, Input, Output, dcc, html

from dash_stash import Ref, Stash, StoreUnavailable
from dash_stash.codec import Encoded
from dash_stash.entries import Facts
from dash_stash.stores.base import Flight
from dash_stash.testing import ManualClock
from dash_stash.testing.wrapped import WrappedStore
from support import remove_folder
from unit.pages import Page
from unit.visiting import at_once, visit


@pytest.fixture
def url(folder: pathlib.Path) -> str:
    return f"file://{folder}"


def lose(folder: pathlib.Path) -> None:
    """Take the folder away for good; also root, who may write anywhere, cannot use it then."""
    remove_folder(folder)
    folder.write_text("a file where the folder was")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture
def lost(stash: Stash, folder: pathlib.Path, clock: ManualClock) -> Stash:
    """A stash that worked and then lost its folder."""
    stash.app["x"] = 1
    lose(folder)
    clock.now += 5
    return stash


def test_memo_functions_go_on_computing(lost: Stash) -> None:
    calls = []

    @lost.memo(ttl=60, stale=60, tags=["t"], ignore="calls")
    def flights(carrier: str) -> str:
        calls.append(carrier)
        return carrier.lower()

    assert [flights("AA"), flights("AA"), flights.refresh("UA")] == ["aa", "aa", "ua"]
    assert flights.peek("AA") is None
    assert calls == ["AA", "AA", "UA"]


def test_async_memo_functions_too(lost: Stash) -> None:
    @lost.memo
    async def flights(carrier: str) -> str:
        return carrier.lower()

    async def main() -> list[str]:
        return await asyncio.gather(*(flights("AA") for _ in range(5)))

    assert asyncio.run(main()) == ["aa"] * 5


def test_what_the_function_raises_is_raised(lost: Stash) -> None:
    with pytest.raises(ZeroDivisionError):
        lost.memo(lambda: 1 // 0)()


def test_all_else_says_so(lost: Stash, folder: pathlib.Path) -> None:
    memo = lost.memo(share=True)(lambda: 1)
    uses = (
        lambda: lost.put(1, share=True),
        lambda: lost.app["x"],
        lambda: lost.app.__setitem__("x", 1),
        lambda: lost.app.modify("x", lambda n: n),
        lambda: list(lost.app),
        lambda: lost.forget(tag="t"),
        memo.ref,
        memo.forget,
        memo.info,
    )
    for use in uses:
        with pytest.raises(StoreUnavailable) as caught:
            use()
        assert str(folder) in str(caught.value)


def test_it_is_told_once_a_minute(
    lost: Stash, clock: ManualClock, caplog: pytest.LogCaptureFixture, folder: pathlib.Path
) -> None:
    memo = lost.memo(lambda n: n)
    for n in range(10):
        memo(n)
    assert len(warnings(caplog)) == 1
    assert str(folder) in warnings(caplog)[0]
    clock.now += 59
    memo(1)
    assert len(warnings(caplog)) == 1
    clock.now += 1
    memo(1)
    assert len(warnings(caplog)) == 2


def test_service_returns_with_the_folder(
    lost: Stash, clock: ManualClock, folder: pathlib.Path
) -> None:
    calls = []
    memo = lost.memo(ignore="calls")(lambda: calls.append(1))
    memo()
    folder.unlink()
    memo()
    memo()
    assert len(calls) == 2
    lost.app["x"] = 2
    assert dict(lost.app) == {"x": 2}
    assert lost.put(3, share=True).get() == 3


def test_a_folder_that_was_deleted_begins_anew(
    stash: Stash, clock: ManualClock, folder: pathlib.Path
) -> None:
    calls = []
    memo = stash.memo(ignore="calls")(lambda: calls.append(1))
    memo()
    remove_folder(folder)
    clock.now += 5
    memo()
    memo()
    assert len(calls) == 2
    with visit(stash):
        stash.session["a"] = 1
        assert dict(stash.session) == {"a": 1}


class Failing(WrappedStore):
    """A store some of whose methods are out of order."""

    failing: Sequence[str] = ()

    def epochs(self, tags: Sequence[str]) -> dict[str, int]:
        return self._unless("epochs") or super().epochs(tags)

    def commit(self, flight: Flight | None, key: bytes, facts: Facts, encoded: Encoded) -> bool:
        return bool(self._unless("commit")) or super().commit(flight, key, facts, encoded)

    def _unless(self, method: str) -> dict[str, int]:
        if method in self.failing:
            raise StoreUnavailable("the test", "out of order")
        return {}


@pytest.mark.parametrize("method", ["epochs", "commit"])
def test_a_stale_value_that_cannot_be_replaced_leaves_its_key_free(
    stash: Stash, clock: ManualClock, method: str
) -> None:
    calls = []

    def compute() -> int:
        calls.append(1)
        return len(calls)

    memo = stash.memo(ttl=60, stale=600, ignore="calls")(compute)
    assert memo() == 1
    clock.now += 60
    failing = Failing(stash._deployment.store, {})
    stash._deployment.store = failing
    failing.failing = (method,)
    assert memo() == 2
    failing.failing = ()
    (other,) = at_once(1, lambda _: memo.refresh())
    assert other.result() == 3


def test_callbacks_that_need_the_store_are_answered_without_where_it_is_and_told_of_once_a_minute(
    folder: pathlib.Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    app = Dash(__name__)
    app.layout = html.Div([dcc.Store(id="out")])
    stash = Stash(app, f"file://{folder}", clock=clock)

    @app.callback(Output("out", "data"), Input("go", "n_clicks"))
    def store(_: int) -> Ref[int]:
        return stash.put(1)

    page = Page(app)
    assert page.post("out.data", ("go", "n_clicks", 1)).status_code == 200
    lose(folder)
    clock.now += 60
    for _ in range(5):
        response = page.post("out.data", ("go", "n_clicks", 1))
        assert response.status_code == 503
        assert str(folder) not in response.get_data(as_text=True)
        assert "Try again later" in unquote(response.headers["X-Dash-Stash-Notice"])
    (warning,) = [record for record in caplog.records if record.name == "dash_stash"]
    assert str(folder) in warning.getMessage()
