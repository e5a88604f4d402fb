"""Recipes: how a memo function's value is computed again.

A recipe is stored beside the value, so that a reference outlives it. It names the function, not its
code: after a deploy, a reference in an open page opens what the new code returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dash_stash import keys
from dash_stash.codec import Encoded, decode, encode
from dash_stash.ref import References


@dataclass(frozen=True, slots=True)
class Recipe:
    """The call of a memo function, without the arguments that it ignores."""

    captured: bytes
    """The key of what the function took from around it.

    It tells functions apart that were made in one place around different values.
    """

    arguments: Mapping[str, Any]
    """Without those that were left to defaults, by the parameters' names."""


def key_of(key: bytes) -> bytes:
    """Return the key under which the recipe of the value of *key* is stored."""
    return keys.digest(b"recipe", key)


def pack(recipe: Recipe) -> Encoded:
    """Return a recipe as bytes.

    Raises:
        Unstorable: An argument cannot be pickled.
    """
    return encode((recipe.captured, dict(recipe.arguments)))


def unpack(encoded: Encoded, references: References) -> Recipe:
    """Return a stored recipe; references among its arguments open in the present visit.

    Raises:
        Unreadable: This program no longer has what an argument is made of.
    """
    return Recipe(*decode(encoded, references=_Revived(references)))


class _Revived:
    """Makes the references in a recipe."""

    def __init__(self, references: References) -> None:
        self.kept = references.revived
