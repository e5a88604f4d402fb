import pandas as pd

STATIONS = pd.read_parquet("stations.parquet")
READINGS = pd.read_parquet("readings.parquet")
last_query = {}


def readings_of(station):
    return READINGS[READINGS["station"] == station].copy()


def remember(station, year):
    last_query["station"] = station
    last_query["year"] = year


def to_fahrenheit(frame):
    frame["temp"] = frame["temp"] * 9 / 5 + 32
    return frame
