"""The gallery, served by its own command and driven in Chromium: every control of every page."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import dash_stash.demo
from support import free_port, must, serving

SLOW = 30_000
_WIDEST = 64
"""Characters of code that a column of the widest page has room for."""
_SCROLLS_SIDEWAYS = """
    [...document.querySelectorAll(".way, .way .code pre, .way .report")]
        .filter((each) => each.scrollWidth > each.clientWidth)
        .map((each) => each.innerText)
"""
PAGES = ("global", "frame", "parts", "signal", "session")


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, home = free_port(), tmp_path_factory.mktemp("gallery")
    command = [str(pathlib.Path(sys.executable).parent / "dash-stash"), "demo", "--port", str(port)]
    with serving(
        command,
        port,
        {"HOME": str(home), "TMPDIR": str(home), "XDG_CACHE_HOME": str(home / "cache")},
    ) as address:
        yield address


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context(viewport={"width": 1440, "height": 1000})
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, gallery: str) -> Iterator[Page]:
    yield from _watched(context.new_page(), gallery)


def _watched(page: Page, address: str) -> Iterator[Page]:
    """Yield a page; fail on a console error, a script's error or a request to another host."""
    page.set_default_timeout(SLOW)
    wrong: list[str] = []
    page.on(
        "console", lambda message: wrong.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, "data:", "blob:"))
            else wrong.append(request.url)
        ),
    )
    page.on(
        "response",
        lambda response: (
            wrong.append(f"{response.status} {response.url}") if response.status >= 400 else None
        ),
    )
    yield page
    assert not wrong


def _meter(page: Page, column: str, name: str) -> str:
    return page.locator(f"#{column}-meter-{name}").inner_text()


def _shown(page: Page, graph: str) -> None:
    """Wait for a figure in a graph; an empty one has no title."""
    expect(page.locator(f"#{graph} .gtitle")).to_be_visible(timeout=SLOW)


def _afresh(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}")
    with page.expect_navigation():
        page.locator(f"#{name}-reset").click()


def _bytes(text: str) -> float:
    number, unit = must(re.fullmatch(r"([\d.,]+) (B|kB|MB)", text)).groups()
    return float(number.replace(",", "")) * {"B": 1, "kB": 1e3, "MB": 1e6}[unit]


def test_the_overview_leads_to_every_page(page: Page, gallery: str) -> None:
    page.goto(gallery)
    for name in PAGES:
        page.locator(f"#nav-{name}").click()
        expect(page.locator(f"#{name}-reset")).to_be_visible()
        page.locator("#nav-overview").click()
        expect(page.locator(".card")).to_have_count(len(PAGES))
        page.locator(f".plain[href='/{name}']").click()
        expect(page.locator(f"#{name}-stash-column")).to_be_visible()
        page.locator("a.brand").click()


def test_workers_disagree_about_the_global_variable_and_agree_about_the_stash(
    page: Page, gallery: str
) -> None:
    _afresh(page, gallery, "global")
    for way in ("chapter", "stash"):
        for _ in range(3):
            with page.expect_response(lambda answer: "_dash-update-component" in answer.url):
                page.locator(f"#global-{way}-like").click()
    left, right = page.locator("#global-chapter-list"), page.locator("#global-stash-list")
    expect(left.locator(".answer")).not_to_have_count(1, timeout=SLOW)
    expect(left.locator(".verdict")).to_have_text("They disagree.", timeout=SLOW)
    expect(right.locator(".answer").nth(1)).to_be_visible(timeout=SLOW)
    expect(right.locator(".verdict")).to_have_text("All say the same.")
    assert set(right.locator(".likes").all_inner_texts()) == {"3"}


def test_the_linter_and_the_guard_catch_the_global_variable_and_nothing_else(
    page: Page, gallery: str
) -> None:
    page.goto(f"{gallery}/global")
    expect(page.locator("#global-chapter-checked")).to_contain_text(
        "DS103 callback like adds to `likes`"
    )
    expect(page.locator("#global-stash-checked")).to_have_text("Nothing is wrong.")
    for which in ("chapter", "stash"):
        page.locator(f"#global-{which}-like").click()
    expect(page.locator("#global-chapter-guarded")).to_contain_text(
        "global_variable.likes was changed while the callback like() ran"
    )
    expect(page.locator("#global-chapter-guarded")).to_contain_text(": likes += 1")
    expect(page.locator("#global-stash-guarded")).to_have_text(
        "Nothing outside of the callback has changed."
    )


def test_a_cleaned_frame_stays_on_the_server_and_changes_its_unit_without_a_query(
    page: Page, gallery: str
) -> None:
    _afresh(page, gallery, "frame")
    for way in ("chapter", "stash"):
        _shown(page, f"frame-{way}-graph")
        column = page.locator(f"#frame-{way}-column")
        expect(column.locator("th", has_text="°F")).to_be_visible(timeout=SLOW)
        column.get_by_text("°C").click()
        expect(column.locator("th", has_text="°C")).to_be_visible(timeout=SLOW)
        column.get_by_text("Kennedy").click()
        expect(page.locator(f"#frame-{way}-meter-runs")).to_have_text("2", timeout=SLOW)
    column = page.locator("#frame-stash-column")
    with page.expect_response(
        lambda answer: "frame-stash-data" in (answer.request.post_data or "")
    ) as answered:
        column.get_by_text("Newark").click()
    assert len(answered.value.body()) < 200
    expect(page.locator("#frame-stash-meter-runs")).to_have_text("2")
    expect(page.locator("#frame-stash-meter-bytes-note")).to_have_text(
        re.compile(r"\d\d+ times less")
    )


def test_each_graph_loads_its_own_part(page: Page, gallery: str) -> None:
    _afresh(page, gallery, "parts")
    for way in ("chapter", "stash"):
        column = page.locator(f"#parts-{way}-column")
        for graph in ("days", "hours", "places"):
            _shown(page, f"parts-{way}-{graph}")
        column.get_by_text("JetBlue").click()
        expect(page.locator(f"#parts-{way}-meter-runs")).to_have_text("2", timeout=SLOW)
    # The figures, which are the same left and right, included.
    expect(page.locator("#parts-stash-meter-bytes-note")).to_have_text(
        re.compile("[4-9] times less"), timeout=SLOW
    )


def test_four_graphs_on_several_workers_cost_one_computation(page: Page, gallery: str) -> None:
    _afresh(page, gallery, "signal")
    for way in ("chapter", "stash"):
        for graph in ("scatter", "spline", "histogram", "contour"):
            _shown(page, f"signal-{way}-{graph}")
        expect(page.locator(f"#signal-{way}-meter-runs")).to_have_text("1")
    page.locator("#signal-stash-column").get_by_text("Delta").click()
    expect(page.locator("#signal-stash-meter-runs")).to_have_text("2", timeout=SLOW)
    expect(page.locator("#signal-stash-meter-worker-note")).to_have_text(
        re.compile(r"one of [2-4]"), timeout=SLOW
    )
    expect(page.locator("#signal-stash-meter-worker")).to_have_text(re.compile(r"\d+"))
    assert _bytes(_meter(page, "signal-stash", "memory")) > 10**7
    assert re.fullmatch(r"[\d,]+ ms", _meter(page, "signal-stash", "time"))


def test_four_who_ask_at_once_compute_once(page: Page, gallery: str) -> None:
    _afresh(page, gallery, "signal")
    asked = {way: page.locator(f"#signal-{way}-column .asked") for way in ("chapter", "stash")}
    for way, lines in asked.items():
        _shown(page, f"signal-{way}-contour")
        page.locator(f"#signal-{way}-crowd").click()
        for i in range(4):
            expect(lines.nth(i)).to_have_text(
                re.compile(r"Worker \d+ .*it, [\d,]+ ms"), timeout=SLOW
            )
    assert len([line for line in asked["chapter"].all_inner_texts() if "computed it" in line]) > 1
    assert len([line for line in asked["stash"].all_inner_texts() if "computed it" in line]) == 1
    expect(page.locator("#signal-stash-meter-runs")).to_have_text("2")


def test_a_session_keeps_its_data_and_another_browser_has_its_own(
    page: Page, chromium: Browser, gallery: str
) -> None:
    _afresh(page, gallery, "session")

    def get(on: Page, way: str) -> list[str]:
        on.locator(f"#session-{way}-get").click()
        cells = on.locator(f"#session-{way}-table tbody td")
        expect(cells.first).to_be_visible(timeout=SLOW)
        return cells.all_inner_texts()

    mine = {way: get(page, way) for way in ("chapter", "stash")}
    for way, cells in mine.items():
        page.locator(f"#session-{way}-draw").click()
        # The graph, another callback's, has the flights of the table.
        expect(page.locator(f"#session-{way}-graph")).to_contain_text(
            cells[2] + cells[3], timeout=SLOW
        )
        expect(page.locator(f"#session-{way}-meter-runs")).to_have_text("1")
    page.reload()
    assert get(page, "stash") == mine["stash"], "the session's data survives a reload"
    assert get(page, "chapter") != mine["chapter"], "the chapter's id does not"
    other = chromium.new_context()
    for stranger in _watched(other.new_page(), gallery):
        stranger.goto(f"{gallery}/session")
        assert get(stranger, "stash") != mine["stash"]
    other.close()


def test_ctrl_c_ends_the_gallery_and_removes_the_chapters_cache(tmp_path: pathlib.Path) -> None:
    command = [
        str(pathlib.Path(sys.executable).parent / "dash-stash"),
        "demo",
        "--port",
        str(free_port()),
    ]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    # On a busy machine the workers need a while to end; gunicorn kills them after half a minute.
    environment = {
        **os.environ,
        "TMPDIR": str(temporary),
        "GUNICORN_CMD_ARGS": "--graceful-timeout 180",
    }
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert must(process.stdout).readline().startswith("The gallery is at http://127.0.0.1:")
        assert any(temporary.glob("dash-stash-gallery-*"))
        process.send_signal(signal.SIGINT)
        assert process.wait(180) == 0
        assert must(process.stdout).read() == ""
    assert not any(temporary.glob("dash-stash-gallery-*"))


@pytest.mark.parametrize("way", ["chapter", "stashed"])
def test_lines_of_the_code_that_is_shown_fit_into_a_column(way: str) -> None:
    folder = pathlib.Path(dash_stash.demo.__file__).parent / way
    lines = [line for path in folder.glob("*.py") for line in path.read_text().splitlines()[1:]]
    assert lines
    assert [line for line in lines if len(line) > _WIDEST] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_fits_its_screen_in_light_and_dark(
    scheme: str, width: int, chromium: Browser, gallery: str
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    for page in _watched(context.new_page(), gallery):
        for name in ("", *PAGES):
            page.goto(f"{gallery}/{name}")
            expect(page.locator("h1")).to_be_visible()
            expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
            if name:
                expect(page.locator(f"#{name}-stash-column")).to_be_visible()
                expect(page.locator(".way .code pre").nth(1)).to_contain_text(
                    "@callback", timeout=SLOW
                )
            page.wait_for_load_state("networkidle") if name != "global" else None
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(_SCROLLS_SIDEWAYS) == []
            pictures = os.environ.get("GALLERY_PICTURES")
            if pictures:
                page.screenshot(path=f"{pictures}/{name or 'overview'}-{width}-{scheme}.png")
        if width < 500:
            page.locator("#burger").click()
            page.locator("#nav-frame").click()
            expect(page.locator("#frame-stash-column")).to_be_visible()
            expect(page.locator("#nav-frame")).not_to_be_in_viewport()
        page.locator("#scheme").click()
        other = {"light": "dark", "dark": "light"}[scheme]
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", other)
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", other)
    context.close()
