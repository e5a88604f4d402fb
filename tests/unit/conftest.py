"""What the unit tests share: an app whose callbacks a test registers, and a note of calls."""

from __future__ import annotations

import pytest
from dash import Dash, dcc, html

from unit.counting import Calls


@pytest.fixture
def app() -> Dash:
    made = Dash(__name__)
    made.server.secret_key = "a secret for the tests only"
    made.layout = html.Div([dcc.Store(id="out"), dcc.Store(id="signal")])
    return made


@pytest.fixture
def calls() -> Calls:
    """Note what a function is called with."""
    return Calls()
