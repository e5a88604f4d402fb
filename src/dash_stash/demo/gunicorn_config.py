"""How gunicorn serves the gallery."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import Any

from dash_stash.demo import CACHE_VARIABLE

# Each callback on a connection of its own, so that a viewer sees several workers answer.
worker_class = "sync"
# The libraries are imported once, not by each worker.
preload_app = True
loglevel = "warning"
control_socket_disable = True


def when_ready(server: Any) -> None:
    """Begin with nothing stored, so that both columns do the same work, and print the address."""
    from dash_stash.demo.chapters import CHAPTERS
    from dash_stash.errors import NoSession

    for chapter in CHAPTERS:
        with contextlib.suppress(NoSession):  # only a session can forget its own data
            chapter.start_afresh()
    host, port = server.address[0]
    print(f"The gallery is at http://{host}:{port} (Ctrl-C ends it)", flush=True)


def on_exit(_server: Any) -> None:
    """Remove the chapter's cache; the stash stays for the next time, within its budget."""
    shutil.rmtree(os.environ[CACHE_VARIABLE], ignore_errors=True)
