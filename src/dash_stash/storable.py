"""What can be stored: not what only says where its data lies, and only with care what a class of somebody else's makes of itself."""

from __future__ import annotations

from typing import Any

from dash_stash.keys import public_name

# What is pickled as a path or a plan: it would be read from the disk, or computed, by each who gets
# it, and be something else once the file has changed. By name, so that none of these libraries is
# imported unless the app did.
_LAZY = {
    "polars.LazyFrame": ".collect()",
    "pyarrow.FileSystemDataset": ".to_table()",
    "pyarrow.UnionDataset": ".to_table()",
    "xarray.CachingFileManager": ".load()",
    "xarray.LazilyIndexedArray": ".load()",
    "xarray.LazilyVectorizedIndexedArray": ".load()",
    "zarr.Array": "[:]",
    "zarr.Group": "[...] of its arrays",
}

# Their values come back as they were; of every other class's it has to be tried.
_TRUSTED = frozenset(
    {
        *(
            "builtins",
            "collections",
            "copyreg",
            "datetime",
            "decimal",
            "fractions",
            "pathlib",
            "types",
            "uuid",
            "zoneinfo",
        ),
        *("dash_stash", "numpy", "pandas", "polars", "pyarrow"),
    },
)


def refuse_lazy(obj: object) -> None:
    """See that *obj* holds its data.

    Raises:
        TypeError: It only says where its data lies, or how to compute it; the message says how to
            get at it.
    """
    way = _way_out(obj)
    if way is not None:
        raise TypeError(
            f"it does not hold its data, only where or how to get it: store what its {way} gives"
        )


def is_lazy(obj: object) -> bool:
    """Whether `refuse_lazy` refuses *obj*."""
    return _way_out(obj) is not None


def _way_out(obj: Any) -> str | None:
    way = _LAZY.get(public_name(type(obj)))
    if way is None and hasattr(type(obj), "__dask_graph__") and obj.__dask_graph__() is not None:
        way = ".compute()"
    return way


def is_trusted(module: str) -> bool:
    """Whether what is defined in *module* is of a library whose values come back as they were."""
    return module.partition(".")[0] in _TRUSTED
