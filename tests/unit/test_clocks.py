"""Clocks that differ, or are set.

Within five minutes nothing is lost, and whatever clocks do, nothing that has ended comes back.
"""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from dash import Dash, Input, Output, html

from dash_stash import Stash
from dash_stash.clock import Clock, system_clock
from dash_stash.testing import ManualClock
from servers import Server
from support import SECRET, lines, run_python
from unit.pages import Page

HOUR = 3600.0


def machine(url: str, clock: Clock = system_clock, idle: float = 12 * HOUR) -> tuple[Dash, Stash]:
    """One of several machines that serve the same app."""
    app = Dash("the_app")
    app.layout = html.Div()
    stash = Stash(app, url, secret=SECRET, clock=clock, idle=idle)

    @app.callback(Output("count", "data"), Input("go", "n_clicks"))
    def count(_: int) -> int:
        counted: int = stash.session.modify("n", lambda n: n + 1, default=0)
        return counted

    @app.callback(Output("rotated", "data"), Input("go", "n_clicks"))
    def rotate(_: int) -> int:
        stash.session.rotate()
        return 1

    @app.callback(Output("cleared", "data"), Input("go", "n_clicks"))
    def clear(_: int) -> int:
        stash.session.clear()
        return 1

    return app, stash


def clicked(page: Page, output: str) -> int:
    answer: int = page.call(f"{output}.data", ("go", "n_clicks", 1))
    return answer


@pytest.mark.parametrize("idle", [60, 12 * HOUR])
@pytest.mark.parametrize("skew", [90, 299])
def test_a_session_goes_on_between_machines_whose_clocks_differ(
    skew: float, idle: float, url: str
) -> None:
    behind, ahead = ManualClock(), ManualClock()
    ahead.now += skew
    for first, second in ((behind, ahead), (ahead, behind)):
        page = Page(machine(url, first, idle)[0])
        other = machine(url, second, idle)[0].server.test_client()
        for cookie in page.browser._cookies.values():
            other.set_cookie(cookie.key, cookie.value)
        elsewhere = Page(page.app, browser=other)
        assert not elsewhere.loaded.headers.getlist("Set-Cookie") or idle == 60
        assert [clicked(one, "count") for one in (page, elsewhere) * 2] == [1, 2, 3, 4]


@pytest.mark.parametrize("skew", [90, 299])
def test_a_value_is_not_computed_over_and_over_by_machines_whose_clocks_differ(
    skew: float, url: str
) -> None:
    behind, ahead = ManualClock(), ManualClock()
    ahead.now += skew
    computed: list[float] = []

    def value(clock: ManualClock) -> Any:
        @Stash(url=url, secret=SECRET, clock=clock).memo(ttl=60, ignore=("behind", "computed"))
        def now() -> float:
            computed.append(behind.now)
            return behind.now

        return now

    values = value(behind), value(ahead)
    for _ in range(120):
        for one in values:
            assert behind.now - one() <= 60 + skew, "the ttl is off by the difference at most"
        behind.now += 5
        ahead.now += 5
    assert len(computed) <= 600 / 60 + 2


@pytest.mark.parametrize(("skew", "times"), [(299, 1), (301, 2)])
def test_a_value_from_more_than_five_minutes_ahead_is_of_unknown_age_and_computed_anew(
    skew: float, times: int, url: str
) -> None:
    behind, ahead = ManualClock(), ManualClock()
    ahead.now += skew
    computed: list[float] = []
    for clock in (ahead, behind):

        @Stash(url=url, secret=SECRET, clock=clock).memo(ttl=600, ignore="computed")
        def value() -> int:
            computed.append(1)
            return 1

        assert value() == 1
    assert len(computed) == times


def test_a_cookie_from_a_clock_that_is_ahead_is_not_accepted_once_its_end_is_forgotten(
    url: str,
) -> None:
    behind, ahead = ManualClock(), ManualClock()
    ahead.now += 299
    page = Page(machine(url, ahead, idle=60)[0])
    assert clicked(page, "count") == 1
    app = machine(url, behind, idle=60)[0]
    thief, owner = app.server.test_client(), app.server.test_client()
    for cookie in page.browser._cookies.values():
        thief.set_cookie(cookie.key, cookie.value)
        owner.set_cookie(cookie.key, cookie.value)
    clicked(Page(app, browser=owner), "rotated")
    page.browser = thief
    for _ in range(60):
        behind.now += 15
        assert page.post("count.data", ("go", "n_clicks", 1)).status_code == 403


@pytest.mark.parametrize("what", ["rotated", "cleared"])
@pytest.mark.parametrize("back", [61, 30 * 60, 2 * HOUR, 11 * HOUR])
def test_a_clock_that_is_set_back_brings_no_cookie_back(
    back: float, what: str, url: str, clock: ManualClock
) -> None:
    app, _ = machine(url, clock)
    page = Page(app)
    assert clicked(page, "count") == 1
    thief = app.server.test_client()
    for cookie in page.browser._cookies.values():
        thief.set_cookie(cookie.key, cookie.value)
    clock.now += 12 * HOUR
    clicked(page, what)
    clock.now -= back
    page.browser = thief
    for _ in range(100):
        assert page.post("count.data", ("go", "n_clicks", 1)).status_code == 403
        clock.now += 900


_MACHINE = """
import sys, time
url, skew, folder, what, value = sys.argv[1:]
real = time.time
time.time = lambda: real() + float(skew)  # before anything is imported
from dash_stash import Stash
from support import SECRET
from unit.pages import Page
from unit import test_clocks
from unit.test_clocks import clicked
app, stash = test_clocks.machine(url)

@stash.memo(ttl=60)
def compute(place):
    with open(place + "/computed", "a") as log:
        log.write("once\\n")

compute(folder)
if what == "begin":
    page = Page(app)
    clicked(page, "count")
else:
    browser = app.server.test_client()
    name, _, text = value.partition("=")
    browser.set_cookie(name, text)
    page = Page(app, browser=browser)
    assert bool(page.loaded.headers.getlist("Set-Cookie")) == (what == "refused")
    if what == "count":
        assert clicked(page, "count") > 1
    elif what == "rotate":
        clicked(page, "rotated")
print(next(f"{one.key}={one.value}" for one in page.browser._cookies.values()))
"""


def test_on_a_server_its_clock_counts_however_those_of_machines_are_set(
    server: Server, tmp_path: pathlib.Path
) -> None:
    server.ask("FLUSHALL")

    def run(hours: float, what: str, value: str = "") -> str:
        return run_python(
            _MACHINE,
            server.url,
            hours * HOUR,
            tmp_path,
            what,
            value,
            XDG_CACHE_HOME=str(tmp_path / f"cache {hours}"),
        )

    first = run(30, "begin")
    for hours in (-30, 0, 30):
        assert run(hours, "count", first) == first
    second = run(-30, "rotate", first)
    assert second != first
    for hours in (-30, 0, 30):
        run(hours, "refused", first)
        assert run(hours, "count", second) == second
    assert lines(tmp_path / "computed") == ["once"]
