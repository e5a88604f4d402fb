"""What the unit tests share: an app whose callbacks a test registers."""

from __future__ import annotations

import pytest
from dash import Dash, dcc, html


@pytest.fixture
def app() -> Dash:
    made = Dash(__name__)
    made.server.secret_key = "a secret for the tests only"
    made.layout = html.Div([dcc.Store(id="out"), dcc.Store(id="signal")])
    return made
