"""Counting what is called."""

from __future__ import annotations

from typing import Any


class Calls(list[Any]):
    """What a function was called with."""

    def __call__(self, *arguments: Any) -> int:
        """Note a call, and return how many there were."""
        self.append(arguments)
        return len(self)
