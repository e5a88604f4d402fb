"""How the values of each known library get their fingerprints.

None of the libraries is imported here: who has such a value has imported its library.
"""

from __future__ import annotations

from typing import Any, Final

from dash_stash.guard.fingerprints import arrays, pandas, polars
from dash_stash.guard.fingerprints.base import Fingerprint, ImmutableFingerprint, Unwatched
from dash_stash.guard.fingerprints.fingerprinter import Fingerprinter, Taker


def library_taker(cls: type) -> Taker | None:
    """Return how to take fingerprints of a class's objects, if it is of one of these libraries."""
    found = (_TAKERS.get(_public_name(base)) for base in cls.__mro__)
    return next(filter(None, found), None)


def _public_name(cls: type) -> str:
    return f"{cls.__module__.partition('.')[0]}.{cls.__name__}"


def _take_scalar(_: Fingerprinter, value: Any) -> Any:
    return value


def _take_arrow(_: Fingerprinter, value: Any) -> Fingerprint:
    return ImmutableFingerprint(type(value).__name__, value, lambda a, b: bool(a.equals(b)))


def _take_figure(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    # The template is hundreds of settings, which nobody changes within one figure.
    layout = {name: item for name, item in value._layout.items() if name != "template"}
    return _take_attributes(fingerprinter, value, {"data": value._data, "layout": layout})


def _take_figure_part(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    if value._parent is not None or value._orphan_props is None:
        return Unwatched()  # the figure has its data
    return fingerprinter.once(
        value, lambda: fingerprinter.mapping(type(value).__name__, value._orphan_props)
    )


def _take_component(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    properties = {
        name: item
        for name, item in dict(vars(value)).items()
        if not name.startswith(("_", "available_"))
    }
    return _take_attributes(fingerprinter, value, properties)


def _take_estimator(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    return _take_attributes(fingerprinter, value, dict(vars(value)))


def _take_attributes(
    fingerprinter: Fingerprinter, value: Any, attributes: dict[str, Any]
) -> Fingerprint:
    return fingerprinter.once(
        value, lambda: fingerprinter.attributes(type(value).__name__, attributes)
    )


def _take_environment(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    return fingerprinter.once(value, lambda: fingerprinter.mapping("environ", dict(value)))


_TAKERS: Final[dict[str, Taker]] = {
    "numpy.MaskedArray": arrays.take_masked_array,
    "numpy.ndarray": arrays.take_array,
    "numpy.generic": _take_scalar,
    "pandas.DataFrame": pandas.take_frame,
    "pandas.Series": pandas.take_series,
    "pandas.Index": pandas.take_index,
    "pandas.ExtensionArray": pandas.take_extension_array,
    "pandas.Interval": _take_scalar,
    "pandas.Period": _take_scalar,
    "pandas.NAType": _take_scalar,
    "polars.DataFrame": polars.take_frame,
    "polars.Series": polars.take_series,
    "pyarrow.Table": _take_arrow,
    "pyarrow.ChunkedArray": _take_arrow,
    "pyarrow.Array": _take_arrow,
    "plotly.BaseFigure": _take_figure,
    "plotly.BasePlotlyType": _take_figure_part,
    "dash.Component": _take_component,
    "sklearn.BaseEstimator": _take_estimator,
    "os._Environ": _take_environment,
}
"""By the library's name and the name of the class."""
