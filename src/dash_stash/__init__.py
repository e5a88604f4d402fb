"""Share data between the callbacks of a Dash app: safely, over threads, workers and users, at the speed of memory."""

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
