"""`# noqa` comments."""

from __future__ import annotations

import re

from dash_stash.lint.effects.summary import Site
from dash_stash.lint.report.findings import Finding

_NOQA = re.compile(
    r"#\s*noqa(?!\w)(?::\s*(?P<codes>[A-Z]+[0-9]+(?:[\s,]+[A-Z]+[0-9]+)*))?", re.IGNORECASE
)


def is_suppressed(finding: Finding) -> bool:
    """Return whether a comment silences the finding, in the callback or at the mutation."""
    return any(_silences(site, finding.rule.code) for site in (finding.site, finding.mutation))


def _silences(site: Site, code: str) -> bool:
    """Return whether a line of the place has `# noqa`, alone or with the code."""
    for line in site.module.lines[site.line - 1 : site.end_line]:
        found = _NOQA.search(line)
        if found and (
            found["codes"] is None or code in re.split(r"[\s,]+", found["codes"].upper())
        ):
            return True
    return False
