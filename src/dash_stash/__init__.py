"""Share data between the callbacks of a Dash app: over threads, workers, machines and users.

The names are loaded when the first of them is used: `dash-stash check` needs none.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dash_stash.errors import (
        BudgetExceeded,
        ComputeFailed,
        ConfigError,
        FlightCycle,
        NoSession,
        PartMissing,
        ReentrantCall,
        RefExpired,
        RefInvalid,
        ScopeTooWide,
        SharedStateChanged,
        StashError,
        StoreUnavailable,
        StoreUnsafe,
        UnhashableArgument,
        Unstorable,
        VariableUnreadable,
    )
    from dash_stash.memo import AsyncMemo, Memo, MemoInfo
    from dash_stash.ref import Ref
    from dash_stash.stash import Stash
    from dash_stash.state import Session, Variables

__all__ = [
    "AsyncMemo",
    "BudgetExceeded",
    "ComputeFailed",
    "ConfigError",
    "FlightCycle",
    "Memo",
    "MemoInfo",
    "NoSession",
    "PartMissing",
    "ReentrantCall",
    "Ref",
    "RefExpired",
    "RefInvalid",
    "ScopeTooWide",
    "Session",
    "SharedStateChanged",
    "Stash",
    "StashError",
    "StoreUnavailable",
    "StoreUnsafe",
    "UnhashableArgument",
    "Unstorable",
    "VariableUnreadable",
    "Variables",
]

_HOMES: Final = ("errors", "memo", "ref", "stash", "state")

if not TYPE_CHECKING:  # else type checkers would accept any name

    def __getattr__(name: str) -> object:
        """Load all names when the first is used."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        for home in _HOMES:
            module = importlib.import_module(f"{__name__}.{home}")
            globals().update({each: vars(module)[each] for each in __all__ if each in vars(module)})
        return globals()[name]


def __dir__() -> list[str]:
    return sorted(__all__)
