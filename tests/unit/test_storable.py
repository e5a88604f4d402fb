"""Only data that can be read again is stored: plans and paths are refused with what to do."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dask
import dask.array
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
import xarray as xr

from dash_stash import Stash, Unstorable

FILE = "data"


def polars_scan(folder: pathlib.Path) -> Any:
    pl.DataFrame({"a": [1]}).write_csv(folder / FILE)
    return pl.scan_csv(folder / FILE)


def arrow_dataset(folder: pathlib.Path) -> Any:
    pyarrow.parquet.write_table(pa.table({"a": [1]}), folder / FILE)
    return pyarrow.dataset.dataset(folder / FILE)


def xarray_dataset(folder: pathlib.Path) -> Any:
    xr.Dataset({"a": ("x", np.arange(3.0))}).to_netcdf(folder / FILE, engine="scipy")
    with xr.open_dataset(folder / FILE, engine="scipy") as opened:
        return opened


def xarray_array(folder: pathlib.Path) -> Any:
    return xarray_dataset(folder)["a"]


LAZY: dict[str, tuple[Callable[[pathlib.Path], Any], str]] = {
    "polars": (polars_scan, "collect()"),
    "polars plan": (lambda folder: pl.LazyFrame({"a": [1]}), "collect()"),
    "pyarrow": (arrow_dataset, "to_table()"),
    "xarray dataset": (xarray_dataset, "load()"),
    "xarray array": (xarray_array, "load()"),
    "dask array": (lambda folder: dask.array.ones(3), "compute()"),
    "dask delayed": (lambda folder: dask.delayed(len)([1]), "compute()"),
    "xarray on dask": (lambda folder: xr.DataArray(dask.array.ones(3)), "compute()"),
}


@pytest.mark.parametrize("kind", LAZY)
def test_what_only_says_where_its_data_lies_is_refused_with_the_way_out(
    stash: Stash, tmp_path: pathlib.Path, kind: str
) -> None:
    make, way = LAZY[kind]
    lazy = make(tmp_path)
    memo = stash.memo(ignore="lazy")(lambda: {"frame": lazy})
    with pytest.raises(Unstorable, match=r"\['frame'\].*store what its ") as caught:
        memo()
    assert way in str(caught.value)
    for store in (lambda: stash.put([lazy], share=True), lambda: stash.app.update(frame=lazy)):
        with pytest.raises(Unstorable):
            store()
    assert list(stash.app) == []


def test_what_they_give_can_be_stored(stash: Stash, tmp_path: pathlib.Path) -> None:
    values = [
        polars_scan(tmp_path).collect(),
        arrow_dataset(tmp_path).to_table(),
        xr.Dataset({"a": ("x", np.arange(3.0))}),
        dask.array.ones(3).compute(),
    ]
    with xr.open_dataset(xarray_file(tmp_path), engine="scipy") as opened:
        values.append(opened.load())
    for value in values:
        assert repr(stash.put(value, share=True).get()) == repr(value)


def xarray_file(folder: pathlib.Path) -> pathlib.Path:
    xarray_dataset(folder)
    return folder / FILE


class Incomplete(Exception):
    """An error that is pickled by its message, which its `__init__` does not take."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")


Nameless: Any = type("Nameless", (), {})


class Forgetful:
    def __setstate__(self, state: Any) -> None:
        raise LookupError("forgotten")

    def __getstate__(self) -> dict[str, int]:
        return {"a": 1}


@dataclass
class Doubling:
    """Writes to its buffers when it is unpickled."""

    array: Any

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.array = state["array"]
        self.array *= 2


@pytest.mark.parametrize(
    "value", [Incomplete(1, "a"), Forgetful()], ids=lambda value: type(value).__name__
)
def test_what_would_not_come_back_is_refused_when_it_is_stored(stash: Stash, value: Any) -> None:
    stash.app["before"] = 1
    for store in (
        lambda: stash.put({"deep": [value]}, share=True),
        lambda: stash.app.update(before=[value]),
        stash.memo(ignore="value")(lambda: value),
    ):
        with pytest.raises(Unstorable, match="can be pickled, but not unpickled"):
            store()
    assert dict(stash.app) == {"before": 1}


def test_it_is_told_where_in_the_value(stash: Stash) -> None:
    with pytest.raises(Unstorable, match=r"the value\['rows'\]\[1\] is a .*Forgetful"):
        stash.put({"rows": [1, Forgetful()]}, share=True)


def test_trying_changes_nothing_of_the_value(stash: Stash) -> None:
    array = np.ones(10_000)
    ref = stash.put(Doubling(array), share=True)
    assert array.sum() == 10_000
    assert ref.get().array.sum() == 20_000


def test_a_value_of_plain_data_and_known_libraries_is_not_tried(
    stash: Stash, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To try it would take as long as to read it."""
    tried: list[Any] = []
    monkeypatch.setattr("dash_stash.codec._load", lambda *given: tried.append(given))
    frame = pd.DataFrame(
        {"a": np.ones(5000), "t": pd.date_range("2026-01-01", periods=5000), "s": ["x"] * 5000}
    )
    stash.put(
        {
            "pandas": frame,
            "polars": pl.DataFrame(frame),
            "arrow": pa.table({"a": [1]}),
            "none": None,
        },
        share=True,
    )
    assert not tried
    stash.put(Doubling(np.ones(3)), share=True)
    assert tried
