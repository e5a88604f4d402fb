"""What all pages share: the stash, and the chapter's cache."""

from __future__ import annotations

import os
import tempfile

from flask_caching import Cache

from dash_stash import Stash
from dash_stash.demo import CACHE_VARIABLE

stash = Stash(guard="warn")

# The chapter's file system cache, in a folder that the command has made for all its workers.
_folder = os.environ.get(CACHE_VARIABLE) or tempfile.mkdtemp(prefix="dash-stash-gallery-")
cache = Cache(
    config={"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": _folder, "CACHE_DEFAULT_TIMEOUT": 0}
)
