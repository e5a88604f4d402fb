"""What can be stored: refuses objects that do not hold their data, and knows trusted libraries."""

from __future__ import annotations

import functools
import os
import sys
from typing import Any, Final

from dash_stash.keys import public_name

# These pickle as a path or a plan: each reader would read the file, or compute, again, and get
# something else after the file has changed. By name, so that no library is imported for this.
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
"""Values of these libraries unpickle unchanged; values of other libraries are tried first."""

_LOOKED_THROUGH: Final = frozenset(
    {"dash", "dash_stash", "numpy", "pandas", "plotly", "polars", "pyarrow", "xarray"}
)
"""Arrays of these libraries hold only numbers, or `structure` checks them."""


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
