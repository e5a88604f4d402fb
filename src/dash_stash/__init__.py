"""Share data between the callbacks of a Dash app: safely, over threads, workers and users, at the speed of memory."""

from dash_stash.errors import (
    ComputeFailed,
    ConfigError,
    FlightCycle,
    NoSession,
    PartMissing,
    RefExpired,
    RefInvalid,
    SharedStateChanged,
    StashError,
    StoreUnavailable,
    StoreUnsafe,
    UnhashableArgument,
    Unstorable,
)
from dash_stash.memo import AsyncMemo, Memo, MemoInfo
from dash_stash.ref import Ref
from dash_stash.stash import Stash
from dash_stash.state import Variables

__all__ = [
    "AsyncMemo",
    "ComputeFailed",
    "ConfigError",
    "FlightCycle",
    "Memo",
    "MemoInfo",
    "NoSession",
    "PartMissing",
    "Ref",
    "RefExpired",
    "RefInvalid",
    "SharedStateChanged",
    "Stash",
    "StashError",
    "StoreUnavailable",
    "StoreUnsafe",
    "UnhashableArgument",
    "Unstorable",
    "Variables",
]
