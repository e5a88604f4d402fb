"""Which machine this is."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import platform

from dash_stash.stores.local.files import file_system

_LIBRARIES = (
    "dash-stash",
    "dash",
    "numpy",
    "pandas",
    "pyarrow",
    "flask-caching",
    "cachelib",
    "diskcache",
    "ray",
    "redis",
)


def describe(folder: pathlib.Path) -> dict[str, str]:
    """Return hardware, system, the file system of *folder*, the load of others, and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = [f"{name} {version}" for name in _LIBRARIES if (version := _version(name))]
    half = len(versions) // 2
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "folder": file_system(folder) or "unknown file system",
        "load before": ", ".join(f"{load:.2f}" for load in os.getloadavg()),
        "python": platform.python_version(),
        "libraries": ", ".join(versions[:half]),
        "contenders": ", ".join(versions[half:]),
    }


def _processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None
