"""The settings: `[tool.dash-stash]` of the nearest pyproject.toml."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass, field
from typing import Any

from dash_stash.errors import ConfigError
from dash_stash.lint.report.findings import Finding
from dash_stash.lint.report.rules import RULES
from dash_stash.lint.source.discover import matches


@dataclass(frozen=True)
class Config:
    """What to report, and where."""

    select: frozenset[str] = frozenset(RULES)
    """The codes to report."""
    exclude: tuple[str, ...] = ()
    """Patterns of files and folders that are not read."""
    per_file: dict[str, frozenset[str]] = field(default_factory=dict)
    """For a pattern of files, the codes that are not reported there."""

    def reports(self, finding: Finding) -> bool:
        """Return whether a finding is wanted."""
        code, path = finding.rule.code, finding.site.module.path
        return code in self.select and not any(
            code in codes and matches(path, (pattern,)) for pattern, codes in self.per_file.items()
        )


def load(start: pathlib.Path, select: str = "", ignore: str = "") -> Config:
    """Return the settings for the files at *start*.

    *select* and *ignore* are codes with commas between; each replaces the setting in the file.

    Raises:
        ConfigError: a setting is unknown or has a wrong value.
    """
    file = _nearest(start.absolute())
    table = _table(file) if file else {}
    unknown = table.keys() - {"select", "ignore", "exclude", "per-file-ignores"}
    if unknown:
        raise ConfigError(f"{file}: [tool.dash-stash] has no setting {min(unknown)!r}")
    where = f"{file}: "
    wanted = (
        codes(select.split(","), "--select")
        if select
        else codes(_strings(table, "select", where), where + "select")
    )
    unwanted = (
        codes(ignore.split(","), "--ignore")
        if ignore
        else codes(_strings(table, "ignore", where), where + "ignore")
    )
    per_file = table.get("per-file-ignores", {})
    if not isinstance(per_file, dict):
        raise ConfigError(f"{where}per-file-ignores is a table of patterns and lists of codes")
    return Config(
        (wanted or frozenset(RULES)) - unwanted,
        tuple(_strings(table, "exclude", where)),
        {
            pattern: codes(_strings(per_file, pattern, where), f"{where}per-file-ignores")
            for pattern in per_file
        },
    )


def codes(names: list[str], where: str) -> frozenset[str]:
    """Return the codes that are meant.

    A name is a code, a rule's name, or how codes start: "DS10".
    """
    found: set[str] = set()
    for name in (name.strip() for name in names):
        matching = {
            rule.code
            for rule in RULES.values()
            if rule.name == name or (name and rule.code.startswith(name.upper()))
        }
        if not matching:
            raise ConfigError(
                f"{where}: there is no rule {name!r}; the codes are {min(RULES)} to {max(RULES)}"
            )
        found |= matching
    return frozenset(found)


def _nearest(path: pathlib.Path) -> pathlib.Path | None:
    return next(
        (file for folder in (path, *path.parents) if (file := folder / "pyproject.toml").is_file()),
        None,
    )


def _table(file: pathlib.Path) -> dict[str, Any]:
    import tomllib

    try:
        table = (
            tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("dash-stash", {})
        )
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: {error}") from error
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: [tool.dash-stash] is a table")
    return table


def _strings(table: dict[str, Any], name: str, where: str) -> list[str]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ConfigError(f"{where}{name} is a list of texts")
    return value
