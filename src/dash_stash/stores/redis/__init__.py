"""The store of many machines: Redis or Valkey, with a folder of each machine before it."""

from dash_stash.stores.redis.store import RedisStore

__all__ = ["RedisStore"]
