"""Values whose buffers say where other data lies, and a process that loads them tampered with."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from dash_stash import structure
from dash_stash.codec import Encoded, Segment, decode, encode
from unit import values

N = 3_000
WORDS = [f"word {number % 97} of some length" if number % 3 else None for number in range(N)]
LISTS = [[number, number + 1][: number % 3] for number in range(N)]
CANARY = "TOP-SECRET-OF-THIS-PROCESS"


def column(values: Any, kind: Any = None) -> Callable[[], Any]:
    return lambda: pa.table({"column": pa.array(values, kind)})


def _union(mode: str) -> Any:
    types = pa.array(np.arange(N) % 2, pa.int8())
    if mode == "sparse":
        return pa.UnionArray.from_sparse(types, [pa.array(range(N)), pa.array(WORDS)])
    return pa.UnionArray.from_dense(
        types, pa.array(np.arange(N) // 2, pa.int32()), [pa.array(range(N)), pa.array(WORDS)]
    )


def _list_view() -> Any:
    offsets, sizes = (
        pa.array((np.arange(N) * 7) % N, pa.int32()),
        pa.array(np.full(N, 1), pa.int32()),
    )
    return pa.ListViewArray.from_arrays(offsets, sizes, pa.array(range(N)))


VALUES: Mapping[str, Callable[[], Any]] = {
    "string": column(WORDS, pa.string()),
    "large_string": column(WORDS, pa.large_string()),
    "string_view": column(WORDS, pa.string_view()),
    "binary": column([word and word.encode() for word in WORDS], pa.binary()),
    "list": column(LISTS, pa.list_(pa.int64())),
    "large_list": column(LISTS, pa.large_list(pa.int64())),
    "list of strings": column(
        [["a", "bc"][: number % 3] for number in range(N)], pa.list_(pa.string())
    ),
    "list_view": lambda: pa.table({"column": _list_view()}),
    "map": column([[(number, "text")] for number in range(N)], pa.map_(pa.int64(), pa.string())),
    "dictionary": lambda: pa.table({"column": pa.array(WORDS).dictionary_encode()}),
    "dense union": lambda: pa.table({"column": _union("dense")}),
    "sparse union": lambda: pa.table({"column": _union("sparse")}),
    "run-end encoded": lambda: pa.table(
        {
            "column": pa.RunEndEncodedArray.from_arrays(
                pa.array(range(2, 2 * N + 2, 2), pa.int32()), pa.array(range(N))
            )
        }
    ),
    "struct": column([{"a": number, "b": "text" * (number % 3)} for number in range(N)]),
    "chunked": lambda: pa.table({"column": pa.chunked_array([WORDS[:1_000], WORDS[1_000:]])}),
    "sliced": lambda: pa.table({"column": pa.array(WORDS)}).slice(700, 2_000),
    "an array alone": lambda: pa.array(WORDS),
    "polars strings": lambda: pl.DataFrame({"column": WORDS}),
    "polars lists": lambda: pl.DataFrame({"column": LISTS}),
    "polars categories": lambda: pl.DataFrame({"column": pl.Series(WORDS, dtype=pl.Categorical)}),
    "polars structs": lambda: pl.DataFrame(
        {"column": [{"a": number, "b": f"text {number} of some length"} for number in range(N)]}
    ),
    "pandas strings": lambda: pd.DataFrame({"column": WORDS}, dtype=values.TEXT),
    "pandas categories": lambda: pd.DataFrame({"column": pd.Categorical(WORDS)}),
    "pandas dictionary": lambda: pd.DataFrame(
        {
            "column": pd.Series(
                pa.array(WORDS).dictionary_encode(),
                dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())),
            )
        }
    ),
    "pandas lists": lambda: pd.DataFrame(
        {"column": pd.Series(LISTS, dtype=pd.ArrowDtype(pa.list_(pa.int64())))}
    ),
    "pandas intervals": lambda: pd.DataFrame(
        {"column": pd.arrays.IntervalArray.from_breaks(np.arange(N + 1))}
    ),
    "pandas cut": lambda: pd.DataFrame({"column": pd.cut(np.arange(N), 20)}),
    "pandas multi-index": lambda: pd.DataFrame(
        {"column": 1.0}, index=pd.MultiIndex.from_product([range(60), [f"b{i}" for i in range(50)]])
    ),
    "pandas categorical index": lambda: pd.DataFrame(
        {"column": 1.0}, index=pd.CategoricalIndex([number % 5 for number in range(N)])
    ),
    "pandas sparse": lambda: pd.DataFrame({"column": pd.arrays.SparseArray(np.arange(N) % 5)}),
    "pandas sparse blocks": lambda: pd.DataFrame(
        {"column": pd.arrays.SparseArray(np.arange(N) % 5, kind="block")}
    ),
    "pandas periods": lambda: pd.DataFrame(
        {"column": pd.period_range("2000", periods=N, freq="D")}
    ),
    "pandas masked": lambda: pd.DataFrame(
        {"column": pd.array([1, None] * (N // 2), dtype="Int64")}
    ),
    "pandas wide": lambda: pd.DataFrame(
        {number: np.ones(3, dtype="f8" if number % 2 else "i8") for number in range(1_000)}
    ),
    "in parts": lambda: {
        "one": pd.DataFrame({"column": WORDS}),
        "two": pd.Series(pd.Categorical(WORDS)),
    },
}


def _tampered(encoded: Encoded, changes: list[tuple[int, float, str, int]]) -> Encoded:
    segments = [
        Segment(bytes(segment.header), [bytearray(buffer) for buffer in segment.buffers])
        for segment in encoded.segments
    ]
    buffers: list[Any] = [buffer for segment in segments for buffer in segment.buffers]
    for number, where, code, value in changes:
        buffer, size = buffers[number % len(buffers)], struct.calcsize(code)
        wrapped = value & (2 ** (8 * size) - 1)
        position = int(where * (len(buffer) // size - 1)) * size
        buffer[position : position + size] = wrapped.to_bytes(size, "little")
    return Encoded(encoded.shape, encoded.names, tuple(segments))


def _everything(value: Any) -> str:
    """Do with a value what apps do; return its content as text."""
    if isinstance(value, dict):
        return "".join(map(_everything, value.values()))
    if isinstance(value, pa.Array):
        value = pa.table({"column": value})
    if isinstance(value, pa.Table):
        value.combine_chunks().slice(1).nbytes  # noqa: B018 (asks the library to look at it)
        text = str(value.to_pylist())
        if pa.types.is_string_view(value.schema[0].type) or pa.types.is_run_end_encoded(
            value.schema[0].type
        ):
            return text  # Arrow takes nothing out of these
        return text + str(value.take(list(range(value.num_rows - 1, -1, -7))).to_pylist())
    if isinstance(value, pl.DataFrame):
        series = value["column"]
        if series.dtype == pl.String:
            series.str.to_uppercase().str.len_chars().sum()
        return str(series.to_list()) + str(value.reverse().head(50)) + str(series.unique().len())
    frame = pd.DataFrame(value)
    frame.iloc[::-1].reset_index().sort_values(frame.columns[0], key=lambda part: part.astype(str))
    return (
        str(frame.astype(object).to_dict("list"))
        + str(list(frame.index))
        + frame.iloc[::-3].to_csv()
    )


def load_tampered() -> None:
    """Load the named values with changed buffers, if they are sound, and print what happened."""
    secrets = [f"{CANARY}-{number}" * 40 for number in range(2_000)]
    encoded = {name: encode(make()) for name, make in VALUES.items()}
    for line in sys.stdin:
        name, changes = json.loads(line)
        tampered = _tampered(encoded[name], changes)
        answer = "a miss"
        if structure.is_sound(tampered):
            answer = "a value"
            try:
                answer = "memory" if CANARY in _everything(decode(tampered)) else answer
            except Exception as error:
                print(name, changes, type(error), str(error)[:200], file=sys.stderr)
        print(answer, flush=True)
    del secrets
