"""What both columns of every page share: the stash, the chapter's cache, and the theme of the figures."""

from __future__ import annotations

import os
import pathlib
import tempfile

import plotly.graph_objects as go
import plotly.io
from flask_caching import Cache

from dash_stash import Stash

stash = Stash()

# The chapter's own cache. All workers of one gallery share its folder, as its file system cache prescribes.
cache_folder = pathlib.Path(tempfile.gettempdir()) / f"dash-stash-gallery-{os.getppid()}"
cache = Cache(config={"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": str(cache_folder), "CACHE_DEFAULT_TIMEOUT": 0})

# One look that is legible on light and on dark paper, so that no callback has to know which one it draws on.
_grid = {"gridcolor": "rgba(128,134,139,.22)", "zerolinecolor": "rgba(128,134,139,.4)", "linecolor": "rgba(128,134,139,.4)"}
plotly.io.templates["gallery"] = go.layout.Template(
    layout={
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "#868e96", "size": 12},
        "colorway": ["#228be6", "#f76707", "#40c057", "#be4bdb", "#fab005", "#15aabf"],
        "xaxis": {**_grid, "automargin": True},
        "yaxis": {**_grid, "automargin": True},
        "margin": {"l": 48, "r": 12, "t": 36, "b": 36},
        "title": {"font": {"size": 13}, "x": 0.01, "xanchor": "left"},
        "legend": {"orientation": "h", "y": -0.2},
    },
)
plotly.io.templates.default = "gallery"
