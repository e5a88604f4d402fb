import json
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LATEST = ROOT / "latest.json"


def save(data, name):
    target = ROOT / f"{name}.json"
    target.write_text(json.dumps(data))


def save_latest(data):
    LATEST.write_text(json.dumps(data))


def path_of(name):
    return os.path.join("out", name + ".csv")


def read(name):
    return (ROOT / f"{name}.json").read_text()
