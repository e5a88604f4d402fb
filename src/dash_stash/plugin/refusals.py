"""Answers requests whose callback cannot get its data; the page shows a notice."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from flask import Response

from dash_stash.deployment import Deployment
from dash_stash.errors import (
    BudgetExceeded,
    NoSession,
    PartMissing,
    RefExpired,
    RefInvalid,
    StashError,
    StoreUnavailable,
)
from dash_stash.plugin.hooks import RequestHooks
from dash_stash.plugin.visitor import HEADER, BrowserVisitor

_log = logging.getLogger("dash_stash")

_LONGEST_HEADER = 4_000

# The status of the answer, and the notice in the page.
_ANSWERS: dict[type[StashError], tuple[int, str]] = {
    RefInvalid: (
        403,
        "This page has data of an earlier visit, which is closed. Reload it to go on.",
    ),
    NoSession: (403, "This page has no session any more. Reload it to go on; it needs cookies."),
    RefExpired: (410, "The data of this page has expired. Reload it to go on."),
    PartMissing: (410, "The data of this page has changed. Reload it to go on."),
    StoreUnavailable: (
        503,
        "The server cannot store or find the data of this page now. Try again later.",
    ),
}
_NO_USER = "This needs a user: log in to go on."


class Refusals:
    """Makes the refusing answers of one app."""

    def __init__(self, deployment: Deployment, hooks: RequestHooks) -> None:
        """Take the deployment, and the hooks, which know the app that a request is for."""
        self._deployment, self._hooks = deployment, hooks
        self._started = deployment.clock()

    def register(self, server: Any) -> None:
        """Let *server* answer errors of this app.

        A server has one handler for all its apps: errors of other apps go to the handler before.
        """
        handlers = server.error_handler_spec[None][None]
        for error in _ANSWERS:
            server.register_error_handler(error, self._handler(handlers.get(error)))

    def _handler(self, neighbour: Callable[[Any], Any] | None) -> Callable[[StashError], Any]:
        def handle(error: StashError) -> Any:
            if neighbour is not None and not self._hooks.is_addressed:
                return neighbour(error)
            return self.answer(error)

        return handle

    def answer(self, error: StashError) -> Response:
        """Return the answer, with the notice that the page shows."""
        status, notice = next(found for kind, found in _ANSWERS.items() if isinstance(error, kind))
        if isinstance(error, NoSession) and error.scope == "user":
            notice = _NO_USER
        response = Response(self._log(error, notice), status=status, mimetype="text/plain")
        on_expired = self._deployment.settings.on_expired
        own = None if on_expired is None else on_expired(error)
        response.headers[f"{HEADER}-Notice"] = quote(notice if own is None else own)
        visitor = self._deployment.visitor.current
        if isinstance(visitor, BrowserVisitor):
            response.headers.update(self._told(visitor, error))
        return response

    def _log(self, error: StashError, notice: str) -> str:
        """Log an error, and return its text for the browser, without the store's address."""
        if isinstance(error, StoreUnavailable) and not isinstance(error, BudgetExceeded):
            self._deployment.warn(error)
            return notice
        _log.warning("%s", error)
        return error.reason if isinstance(error, BudgetExceeded) else str(error)

    def _told(self, visitor: BrowserVisitor, error: StashError) -> dict[str, str]:
        """Return headers for the page's script: it may ask again, or some references are dead."""
        told = {}
        if visitor.was_replaced and not visitor.has_begun:
            told[f"{HEADER}-Replaced"] = "1"
        if isinstance(error, RefInvalid) and not visitor.has_session:
            return told  # the next page begins a session, which can tell
        if isinstance(error, RefInvalid | RefExpired | PartMissing):
            # Name only references that this browser has sent.
            received = str(visitor.received)
            dead = [text for text in dict.fromkeys(error.references) if text in received]
            # During a deploy, workers with two secrets may answer: the script decides whether to
            # believe this one.
            uptime = max(0, int(self._deployment.clock() - self._started))
            words = [str(uptime), ",".join(self._hooks.proofs.key_ids), *_fitting(dead)]
            told[f"{HEADER}-Dead"] = " ".join(words)
        return told


def _fitting(texts: Sequence[str]) -> list[str]:
    """Return the first texts: as many as fit in a header that every server passes on."""
    lengths = itertools.accumulate(len(text) + 1 for text in texts)
    return [text for text, length in zip(texts, lengths, strict=True) if length <= _LONGEST_HEADER]
