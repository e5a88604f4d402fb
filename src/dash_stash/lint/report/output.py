"""Writes a report: as text, JSON, SARIF, or annotations of GitHub."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from dash_stash.lint.effects.summary import Site
from dash_stash.lint.report.findings import Finding, Report
from dash_stash.lint.report.rules import RULES


def text(report: Report) -> str:
    """Return each finding with its line, a caret under it, and the path to the mutation."""
    parts = [
        f"{each.path}:{each.line}:1: cannot be read: {each.reason}" for each in report.unreadable
    ]
    parts += [_shown(finding) for finding in report.findings]
    if report.findings:
        found = _counted(len(report.findings), "finding")
        parts.append(f"{found} in {_counted(report.files, 'file')}.")
    return "\n".join(part for part in parts if part)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _shown(finding: Finding) -> str:
    head = f"{_place(finding.site)}: {finding.rule.code} {finding.message}"
    lines = [head, *_source(finding.site)]
    for callee, site in finding.trail:
        lines += [f"    through {callee}(), {_place(site)}", *_source(site)]
    return "\n".join([*lines, f"    {finding.rule.repair}", ""])


def _place(site: Site) -> str:
    return f"{site.module.shown}:{site.line}:{site.column + 1}"


def _source(site: Site) -> list[str]:
    """Return the line, and carets under what is meant."""
    line = site.module.lines[site.line - 1] if site.line <= len(site.module.lines) else ""
    start = len(line.encode()[: site.column].decode(errors="ignore"))
    end = (
        len(line.encode()[: site.end_column].decode(errors="ignore"))
        if site.end_line == site.line
        else len(line)
    )
    blank = "".join("\t" if character == "\t" else " " for character in line[:start])
    return [f"    | {line}", f"    | {blank}{'^' * max(1, end - start)}"]


def _as_json(report: Report) -> str:
    """Return the findings as one JSON object."""
    findings = [
        {
            "code": finding.rule.code,
            "name": finding.rule.name,
            "message": finding.message,
            "repair": finding.rule.repair,
            "function": finding.function,
            "kind": finding.kind,
            "variable": finding.name.strip("`"),
            **_location(finding.site),
            "path": [{"callee": step.callee, **_location(step.site)} for step in finding.path],
            "mutation": _location(finding.mutation),
        }
        for finding in report.findings
    ]
    unreadable = [
        {"file": each.path, "line": each.line, "reason": each.reason} for each in report.unreadable
    ]
    return json.dumps(
        {"findings": findings, "unreadable": unreadable, "files": report.files}, indent=2
    )


def _location(site: Site) -> dict[str, Any]:
    return {
        "file": site.module.shown,
        "line": site.line,
        "column": site.column + 1,
        "end_line": site.end_line,
        "end_column": site.end_column + 1,
    }


def _sarif(report: Report) -> str:
    """Return the findings as SARIF 2.1.0.

    Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    """
    rules = [
        {
            "id": rule.code,
            "name": rule.name,
            "shortDescription": {"text": rule.says.format(name="a shared object")},
            "help": {"text": rule.repair},
        }
        for rule in RULES.values()
    ]
    driver = {"name": "dash-stash", "rules": rules}
    notifications = [
        {
            "level": "error",
            "message": {"text": each.reason},
            "locations": [_sarif_place(each.path, {"startLine": each.line})],
        }
        for each in report.unreadable
    ]
    run = {
        "tool": {"driver": driver},
        "columnKind": "utf16CodeUnits",
        "results": [_sarif_result(finding) for finding in report.findings],
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
    }
    return json.dumps(
        {
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [run],
        },
        indent=2,
    )


def _sarif_result(finding: Finding) -> dict[str, Any]:
    return {
        "ruleId": finding.rule.code,
        "ruleIndex": list(RULES).index(finding.rule.code),
        "level": "warning",
        "message": {"text": f"{finding.message}. {finding.rule.repair}"},
        "locations": [_sarif_site(finding.site)],
        "relatedLocations": [
            {"id": number, **_sarif_site(site), "message": {"text": f"in {callee}()"}}
            for number, (callee, site) in enumerate(finding.trail, 1)
        ],
    }


def _sarif_site(site: Site) -> dict[str, Any]:
    region = {
        "startLine": site.line,
        "startColumn": site.column + 1,
        "endLine": site.end_line,
        "endColumn": site.end_column + 1,
    }
    return _sarif_place(site.module.shown, region)


def _sarif_place(path: str, region: dict[str, int]) -> dict[str, Any]:
    return {
        "physicalLocation": {"artifactLocation": {"uri": path.replace("\\", "/")}, "region": region}
    }


def _github(report: Report) -> str:
    """Return the findings as commands that GitHub's runners turn into annotations."""
    lines = [
        f"::error file={each.path},line={each.line}::cannot be read: {_escaped(each.reason)}"
        for each in report.unreadable
    ]
    lines += map(_annotation, report.findings)
    return "\n".join(lines)


def _annotation(finding: Finding) -> str:
    site, rule = finding.site, finding.rule
    place = f"file={site.module.shown},line={site.line},col={site.column + 1}"
    title = f"endLine={site.end_line},title={rule.code} {rule.name}"
    return f"::warning {place},{title}::{_escaped(finding.message)}"


def _escaped(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def explanation(codes: Iterable[str]) -> str:
    """Return what rules mean, and how to repair what they find."""
    rules = [RULES[code] for code in sorted(codes)]
    return "\n\n".join(
        f"{rule.code} {rule.name}\n  A callback {rule.says.format(name='X')}.\n  {rule.repair}"
        for rule in rules
    )


FORMATS: Final[dict[str, Callable[[Report], str]]] = {
    "text": text,
    "json": _as_json,
    "sarif": _sarif,
    "github": _github,
}
"""The ways to write a report, by the name that the command knows."""
