"""Which calls write, move or remove a file, and which argument is its path."""

from __future__ import annotations

import ast
from typing import Final

OPENERS: Final = frozenset({
    "builtins.open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "zipfile.ZipFile", "tarfile.open", "h5py.File"
})  # fmt: skip
"""Functions that write if their second argument, the mode, says so."""

PATH_ARGUMENT: Final = {
    "numpy.save": 0, "numpy.savez": 0, "numpy.savez_compressed": 0, "numpy.savetxt": 0, "joblib.dump": 1, "torch.save": 1,
    "os.remove": 0, "os.unlink": 0, "os.rename": 1, "os.replace": 1, "os.rmdir": 0, "os.truncate": 0, "os.removedirs": 0,
    "shutil.rmtree": 0, "shutil.copy": 1, "shutil.copy2": 1, "shutil.copyfile": 1, "shutil.copytree": 1, "shutil.move": 1,
    "plotly.io.write_image": 1, "plotly.io.write_html": 1, "plotly.io.write_json": 1, "plotly.offline.plot": 1,
    "matplotlib.pyplot.savefig": 0, "pandas.ExcelWriter": 0, "urllib.request.urlretrieve": 1, "pyarrow.parquet.write_table": 1,
    "cv2.imwrite": 0, "imageio.imwrite": 0, "soundfile.write": 0, "geopandas.GeoDataFrame.to_file": 0,
}  # fmt: skip
"""Functions that write, and the position of the path."""

PATH_METHODS: Final = frozenset(
    {
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
    }
)
"""Methods of data that write to the path that is their first argument."""

OWN_PATH_METHODS: Final = frozenset(
    {"write_text", "write_bytes", "unlink", "rename", "replace", "rmdir", "touch"}
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
    {
        "path",
        "path_or_buf",
        "file",
        "filename",
        "fname",
        "path_or_buffer",
        "excel_writer",
        "name",
        "dst",
    }
)
_WRITING: Final = frozenset("wax+")


def path_argument(call: ast.Call, position: int) -> ast.expr | None:
    """Return the argument of a call that is the path."""
    named = next((keyword.value for keyword in call.keywords if keyword.arg in _PATH_NAMES), None)
    return call.args[position] if len(call.args) > position else named


def writes(call: ast.Call, position: int) -> bool:
    """Tell whether the mode, the argument at *position*, is one for writing."""
    mode = next((keyword.value for keyword in call.keywords if keyword.arg == "mode"), None)
    if len(call.args) > position:
        mode = call.args[position]
    return (
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and not _WRITING.isdisjoint(mode.value)
    )
