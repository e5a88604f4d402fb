"""Which calls write, move or remove a file, and which argument is its path."""

from __future__ import annotations

import ast
from typing import Final

_OPENERS: Final = frozenset(
    [
        "builtins.open",
        "io.open",
        "codecs.open",
        "gzip.open",
        "bz2.open",
        "lzma.open",
        "zipfile.ZipFile",
        "tarfile.open",
        "h5py.File",
    ]
)
"""Functions that write if their second argument, the mode, says so."""

_PATH_ARGUMENT: Final = {
    **dict.fromkeys(
        [
            "numpy.save",
            "numpy.savez",
            "numpy.savez_compressed",
            "numpy.savetxt",
            "os.remove",
            "os.unlink",
            "os.rmdir",
            "os.truncate",
            "os.removedirs",
            "shutil.rmtree",
            "matplotlib.pyplot.savefig",
            "pandas.ExcelWriter",
            "cv2.imwrite",
            "imageio.imwrite",
            "soundfile.write",
            "geopandas.GeoDataFrame.to_file",
        ],
        0,
    ),
    **dict.fromkeys(
        [
            "joblib.dump",
            "torch.save",
            "os.rename",
            "os.replace",
            "shutil.copy",
            "shutil.copy2",
            "shutil.copyfile",
            "shutil.copytree",
            "shutil.move",
            "plotly.io.write_image",
            "plotly.io.write_html",
            "plotly.io.write_json",
            "plotly.offline.plot",
            "urllib.request.urlretrieve",
            "pyarrow.parquet.write_table",
        ],
        1,
    ),
}
"""Functions that write, and the position of the path."""

PATH_METHODS: Final = frozenset(
    [
        "to_csv",
        "to_parquet",
        "to_pickle",
        "to_excel",
        "to_json",
        "to_feather",
        "to_hdf",
        "to_html",
        "to_stata",
        "to_file",
        "to_orc",
        "to_xml",
        "to_markdown",
        "to_latex",
        "write_csv",
        "write_parquet",
        "write_ipc",
        "write_json",
        "write_excel",
        "write_ndjson",
        "write_html",
        "write_image",
        "savefig",
        "save_model",
        "sink_csv",
        "sink_parquet",
        "to_netcdf",
        "to_zarr",
        "tofile",
        "save",
        "export",
    ]
)
"""Methods of data that write to the path that is their first argument."""

_OWN_PATH_METHODS: Final = frozenset(
    ["write_text", "write_bytes", "unlink", "rename", "replace", "rmdir", "touch"]
)
"""Methods of a path that change the file there."""

PATH_MAKERS: Final = (
    "os.path.",
    "os.fspath",
    "os.getcwd",
    "os.getenv",
    "os.environ",
    "pathlib.",
    "builtins.str",
    "importlib.resources",
)
"""What makes a path out of its arguments alone."""

_PATH_NAMES: Final = frozenset(
    [
        "path",
        "path_or_buf",
        "file",
        "filename",
        "fname",
        "path_or_buffer",
        "excel_writer",
        "name",
        "dst",
    ]
)
_WRITING: Final = frozenset("wax+")


def path_argument(call: ast.Call, position: int) -> ast.expr | None:
    """Return the argument of a call that is the path."""
    named = next((keyword.value for keyword in call.keywords if keyword.arg in _PATH_NAMES), None)
    return call.args[position] if len(call.args) > position else named


def _writes(call: ast.Call, position: int) -> bool:
    """Return whether the mode, the argument at *position*, is one for writing."""
    mode = next((keyword.value for keyword in call.keywords if keyword.arg == "mode"), None)
    if len(call.args) > position:
        mode = call.args[position]
    return (
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and not _WRITING.isdisjoint(mode.value)
    )


def written_path(name: str, call: ast.Call) -> ast.expr | None:
    """Return the path that a call of a library's function *name* writes to; None if none."""
    if name in _OPENERS and _writes(call, 1):
        return path_argument(call, 0)
    return path_argument(call, _PATH_ARGUMENT[name]) if name in _PATH_ARGUMENT else None


def writes_own_path(method: str, call: ast.Call) -> bool:
    """Return whether a method of a path changes the file there."""
    return method in _OWN_PATH_METHODS or (method == "open" and _writes(call, 0))
