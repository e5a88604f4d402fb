"""The environments in which the tests must pass: `make matrix`; two of them in `make test`, too.

A session's name says what is special about it: `nox --session "tests(oldest)"`.
"""

from __future__ import annotations

import pathlib
import re

import nox

nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = True

_PANDAS_2 = "pandas==2.* python-dateutil==2.*"  # which fails with the zones of dateutil 4
ENVIRONMENTS = [
    # Python, Dash, pandas
    nox.param("3.11", "3.2.0", _PANDAS_2, id="oldest"),
    nox.param("3.12", "4.0.0", _PANDAS_2, id="middle"),
    nox.param("3.13", "4.4.1", "pandas==3.*", id="newest"),
    nox.param("3.13", "4.5.0rc2", "pandas==3.*", id="pre-release"),
    nox.param("3.12", "4.4.1", "", id="without pandas"),
]

_UNIT = ("--numprocesses=2", "tests/unit")
_QUICK = ("-m", "not slow and not thorough", *_UNIT)
_NEEDS_PANDAS = re.compile(r"^(?:import|from) (?:pandas|pyarrow|xarray)\b", re.MULTILINE)


@nox.session(venv_backend="venv")
@nox.parametrize(("python", "dash", "pandas"), ENVIRONMENTS)
def tests(session: nox.Session, dash: str, pandas: str) -> None:
    """Run the unit tests and those over many processes; only what is quick with `-- quick`."""
    _install(session, dash, pandas)
    if not pandas:
        session.run("pytest", "-q", *_QUICK[:-1], *_without_pandas())
    elif "quick" in session.posargs:
        session.run("pytest", "-q", *_QUICK)
    else:
        session.run("pytest", "-q", *_UNIT)
        if "unit" not in session.posargs:
            session.run("tools/with-mounts", "pytest", "-q", "tests/processes", external=True)


def _install(session: nox.Session, dash: str, pandas: str) -> None:
    """Install what constraints.txt pins, but for what the environment is about."""
    wanted = [f"dash=={dash}", *pandas.split()]
    special = "|".join(each.partition("==")[0] for each in wanted)
    pins = pathlib.Path("constraints.txt").read_text(encoding="utf-8")
    constraints = pathlib.Path(session.virtualenv.location) / "constraints.txt"
    constraints.write_text(re.sub(rf"(?m)^({special})==.*\n", "", pins), encoding="utf-8")
    session.install("--constraint", "constraints.txt", "--upgrade", "pip")
    pinned = ("--constraint", str(constraints), "--build-constraint", "constraints.txt")
    ours = (".[pandas]", "--group", "test") if pandas else (".", "--group", "test-without-pandas")
    session.install(*pinned, "--editable", *ours, *wanted)


def _without_pandas() -> list[str]:
    """Return the unit tests that need no pandas, neither themselves nor by their helpers."""
    texts = {
        path: path.read_text(encoding="utf-8") for path in pathlib.Path("tests/unit").glob("*.py")
    }
    needing = {path.stem for path, text in texts.items() if _NEEDS_PANDAS.search(text)}
    while True:
        helpers = re.compile(
            rf"^from unit(?: import .*\b|\.)(?:{'|'.join(needing)})\b", re.MULTILINE
        )
        more = {path.stem for path, text in texts.items() if helpers.search(text)} - needing
        if not more:
            break
        needing |= more
    return sorted(
        str(path) for path in texts if path.stem.startswith("test_") and path.stem not in needing
    )
