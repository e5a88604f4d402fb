"""The data frame that is stored."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

MILLION = 1_000_000


def frame(rows: int) -> pd.DataFrame:
    """Return a data frame of six columns: about 48 bytes a row.

    Two of float64, one each of int64, datetime64, str and category.
    """
    chance = np.random.default_rng(0)
    numbers = np.arange(rows)
    return pd.DataFrame(
        {
            "x": chance.normal(size=rows),
            "y": chance.normal(size=rows),
            "n": numbers,
            "time": pd.date_range("2013", periods=rows, freq="s"),
            "name": pd.Series(np.char.add("n", (numbers % MILLION).astype(str)), dtype="str"),
            "kind": pd.Series(pd.Categorical(np.array(list("abcde"))[chance.integers(0, 5, rows)])),
        },
    )


def size(value: pd.DataFrame) -> int:
    """Return how many bytes the columns of a frame have."""
    return sum(buffer.nbytes for buffer in _buffers(value))


def read(value: pd.DataFrame) -> int:
    """Read every byte of a frame, and return a checksum.

    This needs no memory, which its allocator might keep.
    """
    return sum(
        int(buffer[: buffer.nbytes // 8 * 8].view("uint64").sum()) for buffer in _buffers(value)
    )


def _buffers(value: pd.DataFrame) -> list[np.ndarray]:
    numbers = [value[name].to_numpy() for name in ("x", "y", "n", "time")]
    # Not by pickling: that copies text.
    text = pa.chunked_array(value["name"].array.__arrow_array__())
    buffers = [buffer for chunk in text.chunks for buffer in chunk.buffers() if buffer is not None]
    codes = value["kind"].array.codes
    return [
        *(array.view("uint8") for array in (*numbers, codes)),
        *(np.frombuffer(buffer, "uint8") for buffer in buffers),
    ]
