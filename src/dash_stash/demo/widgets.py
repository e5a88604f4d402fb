"""What the layouts of both columns are made of."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pandas as pd
from dash import dcc, html

from dash_stash.demo import data
from dash_stash.demo.figures import EMPTY


def airport_choice(identifier: str) -> Any:
    """Let the viewer choose an airport."""
    return _choice(identifier, "Airport", data.AIRPORTS)


def unit_choice(identifier: str) -> Any:
    """Let the viewer choose a unit of temperature."""
    return _choice(identifier, "Unit of temperature", {"F": "°F", "C": "°C"})


def carrier_choice(identifier: str) -> Any:
    """Let the viewer choose a carrier."""
    return _choice(identifier, "Carrier", data.CARRIERS)


def _choice(identifier: str, label: str, options: dict[str, str]) -> Any:
    return dmc.SegmentedControl(
        id=identifier,
        data=[{"value": value, "label": text} for value, text in options.items()],
        value=next(iter(options)),
        fullWidth=True,
        size="xs",
        mb="xs",
        **{"aria-label": label},
    )


def button(identifier: str, text: str) -> Any:
    """Return a button."""
    return dmc.Button(
        text,
        id=identifier,
        n_clicks=0,
        variant="light",
        size="sm",
        mb="xs",
        mr="xs",
        style={"flexShrink": 0},
    )


def with_note(what: Any, note: str) -> Any:
    """Put a remark beside something."""
    return dmc.Group(
        [what, dmc.Text(note, size="xs", c="dimmed", flex=1, mb="xs")], gap="xs", wrap="nowrap"
    )


def loading(*children: Any) -> Any:
    """Show that work runs while one of the children waits for its callback."""
    return dcc.Loading(
        list(children),
        custom_spinner=dmc.Loader(type="dots", **{"aria-label": "Loading"}),
        delay_show=150,
        overlay_style={"visibility": "visible", "opacity": 0.35},
    )


def graph(identifier: str, height: int = 240) -> Any:
    """Return a place for a figure."""
    return dcc.Graph(
        id=identifier,
        figure=EMPTY,
        style={"height": height},
        config={"displayModeBar": False, "responsive": True},
    )


def grid(*graphs: Any) -> Any:
    """Lay graphs out two by two."""
    return dmc.SimpleGrid(list(graphs), cols=2, spacing="xs", verticalSpacing="xs")


def table(rows: pd.DataFrame) -> Any:
    """Show the rows of a small frame."""
    cells = {"head": list(rows.columns), "body": rows.astype(str).to_numpy().tolist()}
    return dmc.TableScrollContainer(
        dmc.Table(data=cells, fz="xs", verticalSpacing=5, horizontalSpacing=6),
        minWidth=300,
        type="native",
    )


def hottest(frame: pd.DataFrame, unit: str) -> Any:
    """Show the five hottest hours."""
    hours = frame.nlargest(5, "temp")[["time", "temp", "humid", "wind_speed"]]
    hours["time"] = hours["time"].dt.strftime("%d %b, %H:%M")
    rounded = hours.round({"temp": 1, "humid": 0, "wind_speed": 1}).astype({"humid": int})
    return table(
        rounded.set_axis(["hottest hours", f"°{unit}", "humidity, %", "wind, mph"], axis="columns")
    )


def drawn(sample: dict[str, Any]) -> Any:
    """Show some of the flights of a sample, and when it was drawn."""
    title = f"20 flights, drawn at {sample['drawn']}"
    rows = (
        sample["flights"]
        .head(6)
        .rename(columns={"origin": "from", "dest": "to", "dep_delay": "delay"})
    )
    return html.Div([dmc.Text(title, size="sm", fw=600, mb=4), table(rows)])


def place(identifier: str) -> Any:
    """Return a place for what a callback shows."""
    return html.Div(id=identifier, **{"aria-live": "polite"})
