"""See that every link in the documentation leads to a file, and to a heading, that is there."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def _anchors(page: pathlib.Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _dead(page: pathlib.Path) -> list[str]:
    dead = []
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            dead.append(f"{page}: {link}")
    return dead


if __name__ == "__main__":
    listed = subprocess.run(["git", "ls-files", "*.md"], check=True, capture_output=True, text=True).stdout.split()  # noqa: S607 (git is found on the path)
    found = [link for page in listed for link in _dead(pathlib.Path(page))]
    sys.exit("\n".join(["dead links:", *found]) if found else 0)
