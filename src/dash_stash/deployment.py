"""One deployment, as this process has it open.

Memo functions, variables and the plugin share it: one store under one name and secret, who is
asking, and what tells the time.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from dash_stash.errors import ConfigError, StoreUnavailable
from dash_stash.ref import References
from dash_stash.seal import Seal
from dash_stash.settings import Settings
from dash_stash.stores.base import Store
from dash_stash.visitor import CurrentVisitor

_log = logging.getLogger("dash_stash")

_WARN_EVERY = 60.0


class Deployment:
    """What the parts of a `Stash` share.

    The store is opened later if its URL depends on the app.
    """

    store: Store
    seal: Seal
    references: References
    """Mints and opens references to stored values."""

    flight_key: bytes
    """Seals the outcomes of computations for the callers that wait."""

    def __init__(self, settings: Settings, visitor: CurrentVisitor) -> None:
        """Take the options of the `Stash`, and the current visitor."""
        self.settings, self.visitor, self.clock = settings, visitor, settings.clock
        self.is_debug = False
        """Whether the app runs in Dash's debug mode."""

        self.prefix = ""
        """The path of the app, without slashes at its ends."""

        self._is_served = False
        self._warned_at = float("-inf")

    if not TYPE_CHECKING:  # else any name would pass for an attribute's

        def __getattr__(self, name: str) -> Any:
            if name not in type(self).__annotations__:
                raise AttributeError(name)
            raise ConfigError(
                "this Stash has no store yet: call stash.init_app(app), or write Stash(url=...)"
            )

    @property
    def is_open(self) -> bool:
        """Whether there is a store."""
        return "store" in vars(self)

    def open(self, store: Store, seal: Seal, references: References) -> None:
        """Take the opened store, the seal of the deployment, and its references."""
        self.store, self.seal, self.references = store, seal, references
        self.flight_key = seal.key("flight")

    def serve_at(self, prefix: str) -> None:
        """Serve the app at *prefix*, now that it has its server.

        Raises:
            ConfigError: Another app is served already.
        """
        if self._is_served:
            self.check_prefix(prefix)
        self._is_served, self.prefix = True, prefix

    def check_prefix(self, prefix: str) -> None:
        """Check that *prefix* is the path of the app that is served.

        Raises:
            ConfigError: It is the path of another app.
        """
        if self.prefix != prefix:
            raise ConfigError(
                f"this Stash already serves the app at /{self.prefix}: "
                f"make another Stash for the app at /{prefix}"
            )

    def warn(self, error: StoreUnavailable) -> None:
        """Log that the store cannot be used, at most once a minute."""
        now = self.clock()
        if now - self._warned_at >= _WARN_EVERY:
            self._warned_at = now
            _log.warning("%s Memo functions still compute, but share no values.", error)
