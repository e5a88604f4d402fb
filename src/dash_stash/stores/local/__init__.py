"""The embedded store: a folder that every worker on this machine shares."""

from dash_stash.stores.base import StoreConfig
from dash_stash.stores.local.store import LocalStore

__all__ = ["LocalStore", "open_store"]


def open_store(config: StoreConfig) -> LocalStore:
    """Open the store of a `file:` URL."""
    return LocalStore(
        config.folder,
        config.sealing_key,
        config.limits,
        network=config.url.options.get("network") == "1",
        clock=config.clock,
    )
