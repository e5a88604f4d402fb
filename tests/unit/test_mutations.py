"""Each name in the description of mutations is that of something in its library."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from dash_stash import mutations

_OTHERS = frozenset({
    "geopandas", "matplotlib", "seaborn", "torch", "tensorflow", "dotenv", "yaml", "toml",
    "quart", "flask_login", "dash_extensions", "networkx", "sklearn", "xgboost", "lightgbm",
    "catboost", "statsmodels", "prophet", "keras",
})  # fmt: skip
"""Libraries that are not installed here."""
_OF_OLDER_RELEASES = frozenset({
    "pandas.read_gbq", "plotly.express.density_mapbox", "plotly.express.line_mapbox",
    "plotly.express.scatter_mapbox", "plotly.express.choropleth_mapbox", "plotly.io.orca",
    "plotly.figure_factory.create_annotated_heatmap", "plotly.figure_factory.create_distplot",
    "plotly.figure_factory.create_gantt", "series.set_at_idx", "series.insert_at_idx",
    "array.itemset", "figure.add_scattermapbox", "figure.add_area",
})  # fmt: skip
_MISSING = object()


def found(dotted: str) -> Any:
    """Return what has this public dotted name."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            value: Any = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            value = getattr(value, part, _MISSING)
        return value
    return _MISSING


_NAMES = {name for family in mutations.FAMILIES for name in family.types} | {
    *mutations.ARGUMENT_MUTATORS,
    *mutations.PROCESS_STATE,
    *mutations.PROCESS_CALLS,
    *mutations.REQUEST,
}


@pytest.mark.parametrize(
    "name",
    sorted(name for name in _NAMES - _OF_OLDER_RELEASES if name.partition(".")[0] not in _OTHERS),
)
def test_a_name_is_that_of_something(name: str) -> None:
    assert found(name) is not _MISSING


@pytest.mark.parametrize(
    "family",
    [each for each in mutations.FAMILIES if each.name not in _OTHERS],
    ids=lambda family: family.name,
)
def test_a_method_is_one_of_the_types_of_its_family(family: mutations.Family) -> None:
    types = [value for value in map(found, family.types) if isinstance(value, type)]
    missing = {
        method
        for method in family.methods
        if types and not any(hasattr(each, method) for each in types)
    }
    assert {f"{family.name}.{method}" for method in missing} <= _OF_OLDER_RELEASES
