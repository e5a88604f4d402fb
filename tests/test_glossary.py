"""The glossary is that of the code: its terms are used there, and what users call has a row."""

from __future__ import annotations

import inspect
import pathlib
import re
from collections.abc import Iterator, MutableMapping

import dash_stash

_ROOT = pathlib.Path(__file__).parent.parent
_ROW = re.compile(r"^\| ([^|]+) \| (.+) \|$", re.MULTILINE)
_INHERITED = {*dir(MutableMapping), *dir(str)}  # everybody knows what these do


def _rows() -> list[tuple[str, str]]:
    """Return the terms with their meanings, below the heading of the table."""
    return _ROW.findall((_ROOT / "docs" / "glossary.md").read_text())[1:]


def _words(text: str) -> str:
    """Return a text in small letters, names taken apart: `AsyncMemo`, `read_patiently`."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return re.sub(r"[\W_]+", " ", apart).lower()


def _public_classes() -> Iterator[type]:
    """What `dash_stash` has but its errors, which have a tree of their own."""
    for name in dash_stash.__all__:
        value = getattr(dash_stash, name)
        if isinstance(value, type) and not issubclass(value, BaseException):
            yield value


def _verbs() -> set[str]:
    """The methods that the documentation calls, but for those of dicts and of text."""
    pages = [_ROOT / "README.md", *(_ROOT / "docs").rglob("*.md")]
    called = set(re.findall(r"\.([a-z]+)\b", " ".join(page.read_text() for page in pages)))
    methods = {
        name
        for kind in _public_classes()
        for name, value in vars(kind).items()
        if inspect.isfunction(value)
    }
    return (methods & called) - _INHERITED


def test_each_term_stands_there_once() -> None:
    terms = [term for term, _ in _rows()]
    assert len(terms) > 30
    assert sorted(set(terms)) == sorted(terms)


def test_the_code_uses_each_term() -> None:
    """In one form or another: entries, fenced."""
    sources = (_ROOT / "src" / "dash_stash").rglob("*.py")
    code = set(" ".join(_words(source.read_text()) for source in sources).split())

    def is_used(word: str) -> bool:
        stem = word.removesuffix("e").removesuffix("y")
        return any(f"{stem}{end}" in code for end in ("", "e", "y", "s", "es", "ies", "ed"))

    unused = [term for term, _ in _rows() if not all(map(is_used, _words(term).split()))]
    assert unused == []


def test_what_users_call_has_a_row() -> None:
    meanings = " ".join(f"`{term}` {meaning}" for term, meaning in _rows())
    named = set(re.findall(r"`(\w+)`", meanings))
    public = {kind.__name__ for kind in _public_classes()} | _verbs()
    assert {"Stash", "Memo", "put", "forget"} <= public
    assert public - named == set()
