"""What can be stored: no object that only says where its data lies; and whom to trust with what."""

from __future__ import annotations

import functools
import os
import sys
from typing import Any, Final

from dash_stash.keys import public_name

# Pickled as a path or a plan: each who gets it would read the file, or compute, again, and find
# something else once the file has changed. By name: none of these libraries is imported for it.
_LAZY: Final = {
    "polars.LazyFrame": ".collect()",
    "pyarrow.FileSystemDataset": ".to_table()",
    "pyarrow.UnionDataset": ".to_table()",
    "xarray.CachingFileManager": ".load()",
    "xarray.LazilyIndexedArray": ".load()",
    "xarray.LazilyVectorizedIndexedArray": ".load()",
    "zarr.Array": "[:]",
    "zarr.Group": "[...] of its arrays",
}

_TRUSTED: Final = frozenset(
    {
        *("builtins", "collections", "copyreg", "datetime", "decimal", "fractions", "pathlib"),
        *("types", "uuid", "zoneinfo", "dash_stash", "numpy", "pandas", "polars", "pyarrow"),
    },
)
"""Values of these are unpickled as they were; those of every other library are tried."""

_LOOKED_THROUGH: Final = frozenset(
    {"dash", "dash_stash", "numpy", "pandas", "plotly", "polars", "pyarrow", "xarray"}
)
"""Arrays of these hold numbers only, or `structure` looks at them."""


def refuse_lazy(obj: object) -> None:
    """Refuse an object that does not hold its data.

    Raises:
        TypeError: It only says where its data lies, or how to compute it; the message says how to
            get the data.
    """
    way = _way_out(obj)
    if way is not None:
        raise TypeError(
            f"it does not hold its data, only where or how to get it: store what its {way} returns"
        )


def is_lazy(obj: object) -> bool:
    """Return whether `refuse_lazy` refuses *obj*."""
    return _way_out(obj) is not None


def _way_out(obj: Any) -> str | None:
    way = _LAZY.get(public_name(type(obj)))
    if way is None and hasattr(type(obj), "__dask_graph__") and obj.__dask_graph__() is not None:
        way = ".compute()"
    return way


def is_trusted(module: str) -> bool:
    """Return whether *module* is of a library whose values are unpickled as they were."""
    return module.partition(".")[0] in _TRUSTED


@functools.cache
def may_trust_arrays(module: str) -> bool:
    """Return whether *module* is of a library that may take what is in its arrays for structure.

    As a sparse matrix of SciPy does, or a tree of scikit-learn.
    """
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return module.partition(".")[0] not in _LOOKED_THROUGH and not {
        "site-packages",
        "dist-packages",
    }.isdisjoint(file.split(os.sep))
