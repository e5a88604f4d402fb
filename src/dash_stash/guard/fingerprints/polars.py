"""Takes fingerprints of Polars' data frames and series, which share data until it changes."""

from __future__ import annotations

from typing import Any

from dash_stash.guard.fingerprints.arrays import MOST_BYTES, SAMPLE_LENGTH
from dash_stash.guard.fingerprints.base import Fingerprint, ImmutableFingerprint
from dash_stash.guard.fingerprints.fingerprinter import Fingerprinter
from dash_stash.guard.fingerprints.tables import ColumnFingerprint, TableFingerprint


def take_frame(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    """Return the fingerprint of a data frame."""
    fingerprinter.check_time()
    is_whole = value.estimated_size() <= MOST_BYTES
    columns = [_column(column, is_whole=is_whole) for column in value.get_columns()]
    return TableFingerprint("DataFrame", value.height, tuple(value.columns), columns)


def take_series(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    """Return the fingerprint of a series."""
    fingerprinter.check_time()
    column = _column(value, is_whole=value.estimated_size() <= MOST_BYTES)
    return TableFingerprint("Series", len(value), (None,), [column])


def _column(series: Any, *, is_whole: bool) -> ColumnFingerprint:
    return ColumnFingerprint(
        series.dtype,
        ImmutableFingerprint("Series", series.clone() if is_whole else _sample(series), _are_equal),
    )


def _sample(series: Any) -> Any:
    return series.gather_every(max(1, len(series) // SAMPLE_LENGTH)).append(series.tail(1))


def _are_equal(a: Any, b: Any) -> bool:
    return bool(a.equals(b, check_dtypes=True, null_equal=True))
