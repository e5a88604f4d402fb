"""Attacks: what is forged, stolen, oversized or planted opens nothing and breaks nothing."""

from __future__ import annotations

import base64
import contextlib
import hmac
import io
import json
import logging
import os
import pathlib
import random
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dash import Dash, Input, Output, dcc, html
from hypothesis import given
from hypothesis import strategies as some

from dash_stash import (
    ConfigError,
    NoSession,
    RefInvalid,
    Stash,
    StoreUnavailable,
    StoreUnsafe,
    seal,
)
from dash_stash.plugin.ids import ID_SIZE, SessionCookie, proven, sign
from dash_stash.ref import is_reference
from dash_stash.testing import ManualClock
from dash_stash.testing.calls import Caller
from support import NAME, sweep
from unit.pages import Page
from unit.visiting import visit

_KEY = b"the key of these tests"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_MANY = 100_000
_SEED = 20261124


# Mutations


def _mutations(texts: list[str], count: int, *, at: int = 0) -> Iterator[str]:
    """Return *texts*, changed at random after their first *at* letters.

    Bits are flipped, letters replaced and inserted, ends cut off, and two texts spliced.
    """
    chance = random.Random(_SEED)

    def flipped(text: str, place: int) -> str:
        return text[:place] + chr(ord(text[place]) ^ 1 << chance.randrange(7)) + text[place + 1 :]

    changes: list[Callable[[str, int], str]] = [
        flipped,
        lambda text, place: flipped(flipped(text, place), chance.randrange(at, len(text))),
        lambda text, place: text[:place] + chance.choice(_ALPHABET) + text[place + 1 :],
        lambda text, place: text[:place] + chance.choice("+/=. \n\0é\ud800💥") + text[place + 1 :],
        lambda text, _: text[:-1] + chance.choice(_ALPHABET),  # the last letter has bits to spare
        lambda text, place: text[:place] + text[place + 1 :],
        lambda text, place: text[:place] + chance.choice(_ALPHABET) + text[place:],
        lambda text, place: text[:place],
        lambda text, place: text[:at] + text[place:] + text[at:place],
        lambda text, place: text[:place] + chance.choice(texts)[place:],
        lambda text, place: text[:place] + text[place:].swapcase(),
        lambda text, place: text + text[place:],
    ]
    while count:
        text = chance.choice(texts)
        changed = chance.choice(changes)(text, chance.randrange(at, len(text)))
        if changed not in texts:
            count -= 1
            yield changed


def test_of_100_000_mutated_references_none_opens_and_none_raises_anything_else(
    stash: Stash,
) -> None:
    with visit(stash):
        value = {"a": [1, 2], "b": 3}
        ref, memo = stash.put(value), stash.memo(lambda n: n)
        genuine = [
            str(r)
            for r in (
                ref,
                ref["a"],
                ref["a"][1],
                memo.ref(1),
                ref.lasting("1h"),
                stash.put(1, share=True),
            )
        ]
        outcomes = {"text": 0, "refused": 0}
        for text in _mutations(genuine, _MANY, at=len("stash:")):
            if not is_reference(text):
                outcomes["text"] += 1
                continue
            with pytest.raises(RefInvalid):
                stash.ref(text)
            outcomes["refused"] += 1
        assert [stash.ref(text) for text in genuine] == genuine
    assert min(outcomes.values()) > _MANY / 10, outcomes


def test_of_100_000_mutated_cookies_and_ids_none_proves_anything() -> None:
    cookies = [SessionCookie.new(1_800_000_000) for _ in range(5)]
    signed = [cookie.sign(_KEY) for cookie in cookies]
    assert [SessionCookie.proven(text, _KEY) for text in signed] == cookies
    assert [text for text in _mutations(signed, _MANY) if SessionCookie.proven(text, _KEY)] == []
    ids = [sign(bytes([number]) * ID_SIZE, _KEY, b"session") for number in range(5)]
    assert all(proven(text, _KEY, ID_SIZE, b"session") for text in ids)
    assert [
        text for text in _mutations(ids, _MANY) if proven(text, _KEY, ID_SIZE, b"session")
    ] == []
    assert [text for text in ids if proven(text, _KEY, ID_SIZE, b"another")] == []


@given(
    text=some.text()
    | some.from_regex(r"stash:[A-Za-z0-9_=+/-]*", fullmatch=True)
    | some.binary().map(lambda raw: raw.decode("latin-1"))
)
def test_any_text_is_a_refused_reference_or_just_text(text: str) -> None:
    assert proven(text, _KEY, ID_SIZE) is None
    assert SessionCookie.proven(text, _KEY) is None
    if is_reference(text):
        with pytest.raises(RefInvalid):
            Stash(url="file:///nowhere").ref(text)


# An app under attack


@pytest.fixture
def app(folder: pathlib.Path, clock: ManualClock) -> Dash:
    app = Dash(__name__)
    app.layout = html.Div([dcc.Store(id="out")])
    stash = Stash(app, f"file://{folder}", secret="a secret for the tests only", clock=clock)
    app.server.config["stash"] = stash

    @app.callback(Output("ref", "data"), Input("put", "n_clicks"))
    def put(_: int) -> str:
        return stash.put("a secret of mine")

    @app.callback(Output("value", "data"), Input("ref", "data"))
    def get(value: Any) -> Any:
        return value

    @app.callback(Output("typed", "data"), Input("text", "value"))
    def typed(text: str) -> str:
        assert type(text) is str
        return text

    @app.callback(Output("counts", "data"), Input("go", "n_clicks"))
    def count(_: int) -> list[int]:
        return [
            scope.modify("n", lambda n: n + 1, default=0)
            for scope in (stash.session, stash.tab, stash.page)
        ]

    @app.callback(Output("end", "data"), Input("logout", "n_clicks"))
    def log_out(_: int) -> bool:
        stash.session.clear()
        return True

    @app.callback(Output("start", "data"), Input("login", "n_clicks"))
    def log_in(_: int) -> bool:
        stash.session.rotate()
        return True

    return app


def _cookie(page: Page) -> tuple[str, str]:
    cookie = page.cookie
    return cookie.key, cookie.value


def _put(page: Page) -> str:
    return str(page.call("ref.data", ("put", "n_clicks", 1)))


def _sendable(text: str) -> str:
    """What of *text* can stand in a header, and is not taken away there."""
    return "".join(
        letter
        for letter in text
        if letter.isascii() and letter.isprintable() and letter not in ' ;,"\\'
    )


class _Slow(io.BytesIO):
    """What a browser sends: the server waits for it, and somebody does something meanwhile."""

    def __init__(self, content: bytes, meanwhile: Callable[[], Any]) -> None:
        super().__init__(content)
        self._meanwhile: list[Callable[[], Any]] = [meanwhile]

    def readinto(self, buffer: Any) -> int:
        if self._meanwhile:
            self._meanwhile.pop()()
        return super().readinto(buffer)


def test_a_request_that_is_held_open_over_a_login_has_the_old_cookie(app: Dash) -> None:
    victim, thief = Page(app), Page(app)
    thief.browser.set_cookie(*_cookie(victim), path="/")
    call = {
        "output": "counts.data",
        "outputs": {"id": "counts", "property": "data"},
        "changedPropIds": ["go.n_clicks"],
    }
    body = json.dumps(
        call | {"inputs": [{"id": "go", "property": "n_clicks", "value": 1}]}
    ).encode()
    held = _Slow(
        body, lambda: Caller(lambda: victim.call("start.data", ("login", "n_clicks", 1))).result()
    )
    sent = {
        "content_type": "application/json",
        "content_length": len(body),
        "headers": victim.headers,
    }
    answer = thief.browser.post("/_dash-update-component", input_stream=held, **sent)
    assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (403, [])
    assert victim.call("counts.data", ("go", "n_clicks", 1)) == [1, 1, 1]


def test_of_two_logins_with_one_cookie_only_the_first_gets_a_new_one(app: Dash) -> None:
    """Who planted the cookie would be in the victim's session else."""
    stash: Stash = app.server.config["stash"]

    @app.callback(Output("slow", "data"), Input("login", "n_clicks"))
    def log_in_slowly(_: int) -> bool:
        assert "n" not in stash.session
        Caller(lambda: victim.call("start.data", ("login", "n_clicks", 1))).result()
        stash.session.rotate()
        return True

    victim, thief = Page(app), Page(app)
    thief.browser.set_cookie(*_cookie(victim), path="/")
    thief.id, thief.tab = victim.id, victim.tab
    answer = thief.post("slow.data", ("login", "n_clicks", 1))
    assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (403, [])
    assert thief.post("counts.data", ("go", "n_clicks", 1)).status_code == 403
    assert victim.call("counts.data", ("go", "n_clicks", 1)) == [1, 1, 1]


def test_mutated_references_cookies_and_ids_are_refused_by_the_app_and_never_break_it(
    app: Dash,
) -> None:
    page = Page(app)
    ref, (name, cookie) = _put(page), _cookie(page)
    for text in _mutations([ref], 300, at=len("stash:")):
        sendable = text.encode("utf-8", "replace").decode()
        answer = page.post("value.data", ("ref", "data", sendable))
        if answer.status_code == 200:
            assert answer.get_json()["response"]["value"]["data"] == sendable, (
                "it stays what it is: text"
            )
        else:
            assert (answer.status_code, "X-Dash-Stash-Notice" in answer.headers) == (403, True)
    ids = page.headers["X-Dash-Stash"]
    for text in filter(ids.__ne__, map(_sendable, _mutations([ids], 300))):
        page.id, _, page.tab = text.partition(".")
        assert page.post("counts.data", ("go", "n_clicks", 1)).status_code == 403
    for text in filter(cookie.__ne__, map(_sendable, _mutations([cookie], 300))):
        thief = Page(app)
        thief.browser.set_cookie(name, text)
        assert thief.post("counts.data", ("go", "n_clicks", 1)).status_code == 403
    assert (
        Page(app, browser=page.browser).call("value.data", ("ref", "data", ref))
        == "a secret of mine"
    )


@pytest.mark.parametrize(
    "text",
    [
        "stash:",
        "stash:hello",
        "stash:" + "A" * 90,
        "stash:" + "A" * 5000,
        "stash:💥",
        "stash:\ud800",
    ],
)
def test_what_a_user_types_stays_text(app: Dash, text: str) -> None:
    assert Page(app).call("typed.data", ("text", "value", text)) == text


def test_what_a_thief_has_is_worth_nothing_after_login_or_logout(app: Dash) -> None:
    for what in (("start.data", ("login", "n_clicks", 1)), ("end.data", ("logout", "n_clicks", 1))):
        victim = Page(app)
        ref, (name, cookie) = _put(victim), _cookie(victim)
        victim_ids = victim.id, victim.tab
        victim.call(*what)
        thief = Page(app)
        thief.browser.set_cookie(name, cookie)
        thief.id, thief.tab = victim_ids
        assert thief.post("value.data", ("ref", "data", ref)).status_code == 403
        assert thief.post("counts.data", ("go", "n_clicks", 1)).status_code == 403
        # Nor does loading the page bring it back: that gives the thief a session of its own.
        assert Page(app, browser=thief.browser).call("counts.data", ("go", "n_clicks", 1)) == [
            1,
            1,
            1,
        ]
        assert thief.post("value.data", ("ref", "data", ref)).status_code == 403


def test_what_another_app_or_deployment_minted_opens_nothing(
    app: Dash, folder: pathlib.Path
) -> None:
    page = Page(app)
    ref, (name, cookie) = _put(page), _cookie(page)
    beside = Dash("beside", requests_pathname_prefix="/beside/")
    elsewhere = Dash("elsewhere")
    others = [
        Stash(
            beside, f"file://{folder}", secret="a secret for the tests only"
        ),  # the same host, and the same store
        Stash(elsewhere, f"file://{folder}", secret="another secret for the tests"),
    ]
    for other, stash in zip((beside, elsewhere), others, strict=True):
        other.layout = html.Div()
        client = other.server.test_client()
        client.get(other.config.requests_pathname_prefix)
        (theirs,) = client._cookies.values()
        assert theirs.key != name
        client.set_cookie(theirs.key, cookie, path=theirs.path)
        with client:
            client.get(f"{other.config.requests_pathname_prefix}_dash-dependencies")
            with pytest.raises(RefInvalid):
                stash.ref(ref)


def test_what_is_huge_is_refused_before_any_work_on_it(
    app: Dash, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(app)
    _put(page)
    name, _ = _cookie(page)
    huge = "A" * 10_000_000
    sealed: list[int] = []
    make = seal.make

    def counting(key: bytes, *parts: bytes | memoryview, **size: int) -> bytes:
        sealed.append(sum(map(len, parts)))
        return make(key, *parts, **size)

    monkeypatch.setattr(seal, "make", counting)
    monkeypatch.setattr(base64, "urlsafe_b64decode", _bounded(base64.urlsafe_b64decode))
    assert page.post("value.data", ("ref", "data", f"stash:{huge}")).status_code == 200, (
        "it is text"
    )
    page.id = huge
    assert page.post("counts.data", ("go", "n_clicks", 1)).status_code == 403
    page.tell("leave")
    other = app.server.test_client(use_cookies=False)
    assert other.get("/", headers={"Cookie": f"{name}={huge}"}).status_code == 200
    assert max(sealed) < 10_000


def _bounded(decode: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    def bounded(text: Any) -> bytes:
        assert len(text) < 10_000
        return decode(text)

    return bounded


def test_the_log_shows_nothing_that_opens_anything(
    app: Dash, folder: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    page, other = Page(app), Page(app)
    ref, (_, cookie) = _put(page), _cookie(page)
    for text in (ref, ref[:-4], ref + "AAAA", f"stash:{ref[6:].swapcase()}"):
        assert other.post("value.data", ("ref", "data", text)).status_code == 403
    for path in (folder / NAME / "entries").glob("*/*"):
        path.chmod(0o600)
        path.write_bytes(b"damaged")
    page.post("value.data", ("ref", "data", ref))
    page.call("end.data", ("logout", "n_clicks", 1))
    page.post("value.data", ("ref", "data", ref))
    assert "dash_stash" in {record.name for record in caplog.records}
    for secret in (ref, cookie, page.id, page.tab):
        pieces = {secret[start : start + 16] for start in range(len("stash:"), len(secret) - 16)}
        assert not [piece for piece in pieces if piece in caplog.text]


# Timing


def test_a_wrong_seal_takes_the_same_way_wherever_it_is_wrong(
    stash: Stash, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def counting(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    with visit(stash):
        ref = stash.put("value")
        raw = base64.urlsafe_b64decode(ref[6:] + "=" * (-len(ref[6:]) % 4))
        ways = []
        for place in (len(raw) - 16, len(raw) - 1):
            forged = bytearray(raw)
            forged[place] ^= 1
            text = f"stash:{base64.urlsafe_b64encode(forged).decode().rstrip('=')}"
            compared.clear()
            ways.append(_lines_run(lambda text=text: stash.ref(text)))  # type: ignore[misc]
            assert compared == [(16, 16)]
    assert ways[0] == ways[1] != []


def _lines_run(call: Callable[[], object]) -> list[tuple[str, int]]:
    """The lines of this library that a refused call runs."""
    lines: list[tuple[str, int]] = []

    def trace(frame: Any, event: str, _: Any) -> Any:
        if "dash_stash" not in frame.f_code.co_filename:
            return None
        if event == "line":
            lines.append((frame.f_code.co_filename, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(RefInvalid):
            call()
    finally:
        sys.settrace(before)
    return lines


# Names

_HOSTILE = [
    "",
    "../../../etc/passwd",
    "/etc/passwd",
    "..",
    "a/b\\c",
    "nul\0byte",
    "half \ud800 a pair",
    "\u202e right to left",
    "e\u0301",
    "\u00e9",
    "'; DROP TABLE entries; --",
    "%s %n {0}",
    "x" * 10_000,
    "💥",
    "stash:" + "A" * 70,
    "session:0/tab:0",
]


def test_names_and_arguments_are_never_paths(
    stash: Stash, url: str, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    memo = stash.memo(tags=_HOSTILE)(lambda name: [name])
    with visit(stash):
        for name in _HOSTILE:
            for scope in (stash.app, stash.session, stash.page):
                scope[name] = name
            assert memo(name) == [name]
        named = {name: name for name in _HOSTILE if len(name) < 1000}
        ref = stash.put(named)
        assert {name: stash.ref(str(ref[name])).get() for name in named} == named
        for name in _HOSTILE:
            assert stash.app[name] == stash.session[name] == stash.page[name] == name, (
                "none is another's"
            )
        assert set(stash.session) == set(_HOSTILE)
        for name in _HOSTILE:
            stash.forget(tag=name)
            del stash.session[name]
        assert len(stash.session) == 0
    if not url.startswith("file:"):
        return
    assert {path.name for path in tmp_path.iterdir()} == {folder.name}
    entries = list((folder / NAME / "entries").glob("*/*"))
    assert entries
    assert all(len(bytes.fromhex(path.name)) == 16 for path in entries)


def test_users_ids_are_kept_apart_whatever_they_are(folder: pathlib.Path) -> None:
    ids: list[Any] = [
        *(name for name in _HOSTILE if name),
        "1",
        1,
        b"1",
        -1,
        0,
        10**6000,
        "0",
        b"\xff\x00",
        "user:",
        "A",
        "a",
    ]
    app = Dash(__name__)
    app.layout = html.Div()
    present: list[Any] = [None]
    stash = Stash(
        app, f"file://{folder}", secret="a secret for the tests only", user=lambda: present[0]
    )
    with app.server.test_request_context("/"):
        app.server.preprocess_request()
        for number, present[0] in enumerate(ids):
            stash._deployment.visitor.current._owners.clear()  # type: ignore[union-attr]
            assert "seen" not in stash.user, f"{present[0]!r:.50} is another's"
            stash.user["seen"] = number
        for number, present[0] in enumerate(ids):
            stash._deployment.visitor.current._owners.clear()  # type: ignore[union-attr]
            assert stash.user["seen"] == number
        for nobody in (None, "", b""):
            present[0] = nobody
            stash._deployment.visitor.current._owners.clear()  # type: ignore[union-attr]
            with pytest.raises(NoSession):
                stash.user["seen"]
        for useless in (True, 1.5, ["a"], object()):
            present[0] = useless
            stash._deployment.visitor.current._owners.clear()  # type: ignore[union-attr]
            with pytest.raises(ConfigError, match="user= returned a"):
                stash.user["seen"]
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"etc/passwd" not in kept
    assert b"DROP TABLE entries" not in kept


def test_what_user_raises_reaches_the_app_and_nothing_is_stored(folder: pathlib.Path) -> None:
    app = Dash(__name__)
    app.layout = html.Div()

    def user() -> str:
        raise LookupError("who is that?")

    stash = Stash(app, f"file://{folder}", user=user)
    with app.server.test_request_context("/"):
        app.server.preprocess_request()
        with pytest.raises(LookupError, match="who is that"):
            stash.user["seen"] = 1
        assert stash.memo(_double)(21) == 42, "what needs no user works"
    assert not [listed for listed in stash._deployment.store.list() if listed.kind == "state"]


def test_the_store_knows_no_id_of_a_session_tab_page_or_user(folder: pathlib.Path) -> None:
    app = Dash(__name__)
    app.layout = html.Div()
    stash = Stash(
        app,
        f"file://{folder}",
        secret="a secret for the tests only",
        user=lambda: "ann.of.green.gables",
    )

    @app.callback(Output("ref", "data"), Input("put", "n_clicks"))
    def keep(_: int) -> str:
        for scope in (stash.user, stash.session, stash.tab, stash.page):
            scope["n"] = 1
        return stash.put("value")

    page = Page(app)
    _put(page)
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for text in (_cookie(page)[1], page.id, page.tab):
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        for secret in (text.encode(), raw[:16], raw[:16].hex().encode()):
            assert secret not in stored
    assert b"ann.of.green.gables" not in stored


# The folder


def _laid(kind: str, place: pathlib.Path, outside: pathlib.Path) -> None:
    """Lay something in *place* that is not ours."""
    if place.is_dir():
        place.rename(place.with_name(f"{place.name} moved"))
    else:
        place.unlink(missing_ok=True)
    place.parent.mkdir(exist_ok=True)
    match kind:
        case "link to a file":
            place.symlink_to(outside / "file")
        case "link to a folder":
            place.symlink_to(outside / "folder")
        case "link to nothing":
            place.symlink_to(outside / "nothing")
        case "pipe":
            os.mkfifo(place)
        case "folder":
            place.mkdir()
            (place / "beside").write_text("foreign")
        case "file":
            place.write_bytes(b"foreign" * 1000)


_KINDS = ["link to a file", "link to a folder", "link to nothing", "pipe", "folder", "file"]
_PLACES = [
    "entry",
    "its folder",
    "flight",
    "commits",
    "commit",
    "temporary",
    "flights",
    "entries",
    "slots",
    "index.sqlite",
    "sweep",
    "opening",
]


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("place", _PLACES)
def test_what_is_laid_in_the_stores_folder_stops_nobody_and_leads_to_no_other_files(
    place: str, kind: str, folder: pathlib.Path, tmp_path: pathlib.Path, clock: ManualClock
) -> None:
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    precious = [outside / "file", outside / "folder" / ("0" * 32)]
    for file in precious:
        file.write_text("precious")
    secret = "a secret for the tests only"
    before = Stash(url=f"file://{folder}", secret=secret, clock=clock)
    before.memo(share=True)(_double).ref(21)
    (entry,) = [p for p in (folder / NAME / "entries").glob("*/*") if b'"memo"' in p.read_bytes()]
    places = {
        "entry": entry,
        "its folder": entry.parent,
        "flight": folder / NAME / "flights" / entry.name,
        "commit": folder / NAME / "commits" / entry.name[:2],
    }
    laid = places.get(place, folder / NAME / place)
    _laid(kind, laid, outside)
    clock.now += 60
    for stash in (Stash(url=f"file://{folder}", secret=secret, clock=clock), before):
        assert Caller(lambda stash=stash: stash.memo(_double)(21)).result(20) == 42  # type: ignore[misc]
        for use in (
            lambda stash=stash: stash.put(1, share=True),
            lambda stash=stash: _swept(stash),
        ):
            caller = Caller(use)
            assert caller.error is None or isinstance(caller.error, StoreUnavailable)
    assert [file.read_text() for file in precious] == ["precious", "precious"]
    assert not (outside / "nothing").exists()
    if os.path.lexists(laid):
        laid.rename(tmp_path / "laid")


def test_the_sweep_removes_nothing_of_a_folder_that_is_laid_in_place_of_its_own_meanwhile(
    folder: pathlib.Path, tmp_path: pathlib.Path, clock: ManualClock
) -> None:
    precious = tmp_path / "outside" / ("0" * 32)
    precious.parent.mkdir()
    precious.write_text("precious")
    stash = Stash(url=f"file://{folder}", secret="a secret for the tests only", clock=clock)
    stash.memo(_double)(21)
    laid, stop = folder / NAME / "temporary", threading.Event()

    def lay_and_take_away() -> None:
        while not stop.is_set():
            laid.rename(tmp_path / "moved")
            laid.symlink_to(precious.parent)
            laid.unlink()
            (tmp_path / "moved").rename(laid)

    caller = Caller(lay_and_take_away)
    try:
        for _ in range(2000):
            sweep(stash._deployment.store)
    finally:
        stop.set()
        caller.result(20)
    assert precious.read_text() == "precious"


def _double(n: int) -> int:
    return 2 * n


def _swept(stash: Stash) -> None:
    stash._deployment.store.list()
    sweep(stash._deployment.store)


def test_another_users_folder_is_refused(folder: pathlib.Path) -> None:
    folder.mkdir(mode=0o700)
    with contextlib.suppress(OSError):  # only root can give a folder away
        os.chown(folder, 65534, 65534)
    others = folder if folder.stat().st_uid == 65534 else pathlib.Path("/")
    with pytest.raises(StoreUnsafe, match="belongs to user"):
        Stash(url=f"file://{others}", secret="a secret for the tests only")


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_a_folder_that_others_come_to_write_to_is_used_no_more(
    folder: pathlib.Path, clock: ManualClock, mode: int
) -> None:
    stash = Stash(url=f"file://{folder}", clock=clock)
    memo = stash.memo(_double)
    assert memo(21) == 42
    (folder / NAME / "slots").unlink()
    (folder / NAME).chmod(mode)
    clock.now += 60
    assert memo(21) == 42
    with pytest.raises(StoreUnavailable, match="others can write to it"):
        stash.put(1, share=True)
