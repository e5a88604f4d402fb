"""Which machine this is."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import platform

from dash_stash.stores.local.files import file_system

_LIBRARIES = ("dash-stash", "dash", "numpy", "pandas", "pyarrow", "flask-caching", "diskcache", "ray")


def describe(folder: pathlib.Path) -> dict[str, str]:
    """Return processor, memory, system, the file system of *folder*, and versions."""
    cpu = next(
        (line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{cpu}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, {file_system(folder)}",
        "python": platform.python_version(),
        "versions": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES),
    }
