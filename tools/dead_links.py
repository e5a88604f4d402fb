"""Check that every link in the documentation leads to a file and a heading that exist."""

from __future__ import annotations

import pathlib
import re
import sys

_LINK = re.compile(
    r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)|(?:src|href)=\"([^\"]+)\"", re.MULTILINE
)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^(```+|~~~+).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")


def pages(root: pathlib.Path) -> list[pathlib.Path]:
    """Return the documentation's pages."""
    return sorted([*root.glob("*.md"), *root.glob("deploy/*.md"), *root.glob("docs/**/*.md")])


def dead_links(page: pathlib.Path) -> list[str]:
    """Return the links of *page* that lead nowhere; links to other sites are not followed."""
    links = ["".join(found) for found in _LINK.findall(_CODE.sub("", _text(page)))]
    return [
        link
        for link in links
        if not re.match(r"[a-z]+:", link) and not _leads_somewhere(page, link)
    ]


def _leads_somewhere(page: pathlib.Path, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not heading or heading in _anchors(target))


def _anchors(page: pathlib.Path) -> set[str]:
    """Return the names that GitHub gives to the page's headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(_text(page))
    }


def _text(page: pathlib.Path) -> str:
    """Return the page without its blocks of code."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    found = [f"{page}: {link}" for page in pages(pathlib.Path()) for link in dead_links(page)]
    sys.exit("\n".join(["dead links:", *found]) if found else 0)
