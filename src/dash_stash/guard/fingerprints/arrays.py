"""Takes fingerprints of NumPy arrays: whole, or of a big one a sample."""

from __future__ import annotations

import functools
from typing import Any, Final

import xxhash

from dash_stash.guard.fingerprints.base import CompositeFingerprint, Fingerprint
from dash_stash.guard.fingerprints.containers import SequenceFingerprint
from dash_stash.guard.fingerprints.fingerprinter import Fingerprinter
from dash_stash.guard.fingerprints.tables import ArrayFingerprint, ColumnFingerprint

MOST_BYTES: Final = 4 * 2**20
"""Up to this many bytes, an array or a data frame is read whole."""

SAMPLE_LENGTH: Final = 512
"""Of a bigger array, or of each column of a bigger data frame, this many values are read."""

_MOST_OBJECTS: Final = 4 * SAMPLE_LENGTH
"""Up to this many Python objects are looked at in an array."""


def take_array(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    """Return the fingerprint of an array."""
    column = take_column(fingerprinter, value, is_whole=value.nbytes <= MOST_BYTES)
    return ArrayFingerprint(type(value).__name__, value.shape, column)


def take_masked_array(fingerprinter: Fingerprinter, value: Any) -> Fingerprint:
    """Return the fingerprint of an array with a mask."""
    kind = type(value).__name__
    return CompositeFingerprint(
        kind,
        take_array(fingerprinter, value._data),
        fingerprinter.attributes(kind, {"mask": value._mask}),
    )


def take_column(fingerprinter: Fingerprinter, values: Any, *, is_whole: bool) -> ColumnFingerprint:
    """Return the fingerprint of the values of an array of any shape: of all, or of a sample."""
    fingerprinter.check_time()
    if values.dtype.hasobject:
        is_short = values.size <= _MOST_OBJECTS
        chosen = values.ravel() if is_short else values[sample(values.shape)]
        return ColumnFingerprint(values.dtype, take_objects(fingerprinter, chosen.tolist()))
    return ColumnFingerprint(
        values.dtype, _digest(values if is_whole else values[sample(values.shape)])
    )


def take_objects(fingerprinter: Fingerprinter, values: list[Any]) -> SequenceFingerprint:
    """Return the fingerprint of the Python objects in an array."""
    items = fingerprinter.take_all(values)
    return SequenceFingerprint("array", len(values), range(len(values)), items)


def _digest(values: Any) -> int:
    import numpy as np

    # As plain bytes, since NumPy exports no buffers of dates.
    return xxhash.xxh3_64_intdigest(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)


@functools.lru_cache(64)
def sample(shape: tuple[int, ...]) -> Any:
    """Return where to look in an array of this shape: at both ends, and evenly between."""
    import numpy as np

    size = int(np.prod(shape))
    positions = np.linspace(0, size - 1, min(SAMPLE_LENGTH, size)).astype(np.intp)
    return np.unravel_index(positions, shape)
