"""The embedded store: a folder that every worker on this machine shares."""

from dash_stash.stores.local.store import LocalStore

__all__ = ["LocalStore"]
