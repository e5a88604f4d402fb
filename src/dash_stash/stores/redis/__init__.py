"""The store of many machines: Redis or Valkey, with a folder of each machine before it."""

from dash_stash.stores.base import StoreConfig
from dash_stash.stores.redis.store import RedisStore

__all__ = ["RedisStore", "open_store"]


def open_store(config: StoreConfig) -> RedisStore:
    """Open the store of a server's URL."""
    return RedisStore(
        config.url.text,
        config.folder,
        config.sealing_key,
        config.limits,
        name=config.name,
        clock=config.clock,
        warn=config.warn,
    )
