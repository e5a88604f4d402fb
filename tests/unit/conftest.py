"""What the unit tests have in common."""

from __future__ import annotations

import pytest

from unit.counting import Calls


@pytest.fixture
def calls() -> Calls:
    """Note what a function is called with."""
    return Calls()
