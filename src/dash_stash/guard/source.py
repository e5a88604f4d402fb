"""Lines of the app's source."""

from __future__ import annotations

import linecache
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class SourceLine:
    """A line of the app's source."""

    file: str
    line: int

    def __str__(self) -> str:
        is_below = self.file.startswith(os.path.join(os.getcwd(), ""))
        return f"{os.path.relpath(self.file) if is_below else self.file}:{self.line}"

    @property
    def text(self) -> str:
        """What the line says."""
        return linecache.getline(self.file, self.line).strip()
