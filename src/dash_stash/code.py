"""What a function does, as a key."""

from __future__ import annotations

from types import FunctionType

from dash_stash import identity


def of_function(function: FunctionType) -> bytes:
    """Return the key of what a function does."""
    return identity.of_function(function)
