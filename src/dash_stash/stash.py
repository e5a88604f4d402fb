"""`Stash`: one store, what is shared through it, and the app that it serves."""

from __future__ import annotations

import inspect
import logging
import os
import secrets
import sys
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Protocol, TypeVar, cast, overload

from dash_stash import bytecode, folders, identity, keys, mistakes, naming, owners, urls
from dash_stash.clock import Clock, Duration, seconds, system_clock
from dash_stash.codec import encode
from dash_stash.entries import Facts
from dash_stash.errors import (
    ConfigError,
    NoSession,
    RefExpired,
    RefInvalid,
    StashError,
    StoreUnavailable,
)
from dash_stash.memo import AsyncMemo, Memo
from dash_stash.opening import Opener
from dash_stash.ref import Ref, References, Target
from dash_stash.scope import APP, Request, Scope, Visits, check_scope
from dash_stash.seal import SECRET_VARIABLE
from dash_stash.signature import Options
from dash_stash.sizes import Size, in_bytes
from dash_stash.state import Session, Variables
from dash_stash.stores.base import Limits, Store, patiently
from dash_stash.stores.registry import Terms, open_store

if TYPE_CHECKING:
    from dash import Dash

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_log = logging.getLogger("dash_stash")

_WARN_EVERY = 60.0


class _Decorator(Protocol):
    """What `@stash.memo(...)` is, with options."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncMemo[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Memo[P, R]: ...


class _NotOpened:
    """In the place of the store until there is one."""

    def __getattr__(self, name: str) -> Any:
        raise ConfigError(
            "this Stash has no store yet: give it an app, stash.init_app(app), or a url"
        )


class Stash:
    """Shares data between the callbacks of an app: over threads, workers and users, safely.

    `stash.app`, `stash.user`, `stash.session`, `stash.tab` and `stash.page` are mappings of
    variables kept on the server, for the whole app, for the present user, browser session and tab,
    and for one load of a page.
    """

    def __init__(
        self,
        app: Dash | None = None,
        url: str | None = None,
        *,
        name: str | None = None,
        secret: str | bytes | Sequence[str | bytes] | None = None,
        user: Callable[[], str | bytes | int | None] | None = None,
        max_bytes: Size = "2GiB",
        max_entries: int = 1_000_000,
        max_sessions: int = 10_000,
        max_session_bytes: Size | None = None,
        idle: Duration = "12h",
        cross_site: bool = False,
        on_expired: Callable[[StashError], str] | None = None,
        guard: Literal["warn", "raise", "off"] | None = None,
        clock: Clock = system_clock,
    ) -> None:
        """Open the store at *url* and serve *app*.

        Without *url* it is what DASH_STASH_URL says, or a folder of the app in the user's cache
        folder (`dash-stash where` prints it). Without *name* it is what DASH_STASH_NAME says, or
        the module that makes the Stash. Without *secret*, at least 16 bytes, it is what
        DASH_STASH_SECRET says, or, for a folder, one that is made and kept for it. Without an app,
        references must be shared, and sessions and pages do not exist.

        Args:
            app: The app to serve; `init_app` can be called later instead.
            url: `file:///an/absolute/folder`, the same for all workers; or, for many machines, a
                Redis or Valkey server: `redis://host:6379/0` (docs/scale.md has the other forms).
            name: What the app is called: letters, digits and _ . -. It is part of where everything
                lies and of what seals it, so that apps of different names share nothing, whatever
                else they share; those of one name are one app, wherever it is written: after a
                deploy into a new folder, in containers, in jobs. Without one, in a notebook it is
                the notebook's, and elsewhere where no file is known (`python -c`, a shell) this
                process's alone.
            secret: What seals entries, references and cookies. Of several, the first seals and all
                open, so that one can take the place of another while the app runs; in
                DASH_STASH_SECRET they stand with commas between them.
            user: Called in a request, returns the id of the user who asks, None for nobody: what
                `stash.user` goes by.
            max_bytes: How many bytes are kept at most, also as "500MB" or "2GiB"; what is cheapest
                to have again goes first. With a server, this and the next hold for what each
                machine keeps of it, and the server's own `maxmemory` for the whole.
            max_entries: How many values are kept at most.
            max_sessions: How many browser sessions have something stored at most; who was here once
                only or longest ago goes first.
            max_session_bytes: How many bytes of *max_bytes* one session (tabs and pages included)
                or user may have; a quarter.
            idle: How long the data of a session, tab or page is kept that nobody uses: seconds, a
                timedelta, or "12h".
            cross_site: Whether pages work in frames of other sites too (they need https, and the
                app its own protection against requests forged by other sites).
            on_expired: Given the error, returns the text of the notice that a page shows whose data
                cannot be had any more.
            guard: What happens when a variable outside of a callback's scope was changed while the
                callback ran: "warn" in the log and in Dash's error panel, "raise"
                SharedStateChanged in the place of the callback's value, or nothing with "off". By
                default "warn" when the app runs in Dash's debug mode, else "off".
            clock: Tells the time in seconds since the epoch; for tests.

        Raises:
            ConfigError: An argument, or the app, cannot be used.
            StoreUnsafe: Others can write to the folder, or it is on a network file system.
        """
        mistakes.check_first(app, url)
        mistakes.check_functions(user=user, on_expired=on_expired, clock=clock)
        mistakes.warn_of_variables(os.environ)
        if guard not in (None, "warn", "raise", "off"):
            raise ConfigError(
                f'guard={guard!r} must be "warn", "raise", "off", or None for "warn" in debug mode'
            )
        self.limits = _limits(max_bytes, max_entries, max_sessions, max_session_bytes, idle)
        identity.alias_main()
        self._name = naming.find(name)
        self._url = url if url is not None else os.environ.get(urls.VARIABLE) or None
        self._secrets = _secrets(secret)
        self.store: Store = cast(Store, _NotOpened())
        self.references = cast(References, self.store)
        self._memos: dict[bytes, weakref.WeakSet[Memo[Any, Any]]] = {}
        self._warned_at = float("-inf")
        self.clock, self.guard = clock, guard
        self.namespace, self._has_place = "", False
        self._app: Callable[[], Dash | None] = lambda: None
        self.is_debug = False
        self.visits = Visits(_request, knows_users=user is not None)
        self.user_id, self.cross_site, self.on_expired = user, cross_site, on_expired
        self.app, self.user, self.session = (
            Variables(self, "app"),
            Variables(self, "user"),
            Session(self, "session"),
        )
        self.tab, self.page = Variables(self, "tab"), Variables(self, "page")
        if app is not None:
            from dash_stash import plugin

            plugin.check(app)
        if self._url is not None:
            try:
                self._open(self._url)
            except ConfigError as error:
                if url is None:
                    error.add_note(f"The URL is what the environment's {urls.VARIABLE} says.")
                raise
        if app is not None:
            self.init_app(app)

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute, but not `session` and the like: a dict in their place would be one for all visitors of this process."""
        if isinstance(vars(self).get(name), Variables):
            raise AttributeError(  # noqa: TRY004 (the type is that of what is there)
                f"stash.{name} cannot be replaced, which would be for every visitor of this process: to store a variable write "
                f'stash.{name}["name"] = ..., to store several stash.{name}.update(...)'
            )
        super().__setattr__(name, value)

    def init_app(self, app: Dash) -> None:
        """Serve *app*: resolve the references that its callbacks get, and know its sessions and pages.

        Raises:
            ConfigError: Its Dash is too old, its backend is not Flask, it has a Stash already, or
                the Stash serves another app.
        """
        from dash_stash import plugin

        plugin.check(app)
        prefix = app.config.requests_pathname_prefix.strip("/")
        if self.visits.serves_app:
            self._check_served(prefix)
        if isinstance(self.store, _NotOpened):
            folder = (
                folders.named_folder()
                if self._name.is_given
                else folders.app_folder(app.config.name)
            )
            self._open(folder.as_uri())
        self._app = weakref.ref(app)
        self.visits.serves_app, self.namespace = True, prefix
        plugin.install(app, self)

    def serve_at(self, prefix: str) -> None:
        """Serve the app at *prefix*, which has got its server by now.

        Raises:
            ConfigError: The Stash serves another app.
        """
        if self._has_place:
            self._check_served(prefix)
        self._has_place, self.namespace = True, prefix

    def _check_served(self, prefix: str) -> None:
        if self.namespace != prefix:
            raise ConfigError(
                f"this Stash serves the app at /{self.namespace} already: make another one for the app at /{prefix}"
            )

    @property
    def name(self) -> str:
        """What the app is called."""
        return self._name.text

    def _open(self, url: str) -> None:
        terms = Terms(self.name, self._secrets, self.limits, self.clock, self.warn)
        self.store, self.seal, folder = open_store(url, terms)
        self.clock = self.store.clock
        owners.claim(folder, self._name)
        self.flight_key = self.seal.key("flight")
        opener = Opener(self.store, self.visits, self.clock, self._memos)
        key = self.seal.key("reference")
        self.references = opener.references = References(
            key, self.visits, opener.load, opener.delete, self.clock
        )

    # Memo functions

    @overload
    def memo(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncMemo[P, R]: ...
    @overload
    def memo(self, function: Callable[P, R], /) -> Memo[P, R]: ...
    @overload
    def memo(
        self,
        /,
        *,
        ttl: Duration | None = None,
        stale: Duration | None = None,
        scope: Scope = "app",
        tags: Iterable[str] = (),
        version: object = None,
        ignore: str | Iterable[str] = (),
        share: bool = False,
    ) -> _Decorator: ...
    def memo(
        self,
        function: Any = None,
        /,
        *,
        ttl: Duration | None = None,
        stale: Duration | None = None,
        scope: Scope = "app",
        tags: Iterable[str] = (),
        version: object = None,
        ignore: str | Iterable[str] = (),
        share: bool = False,
        **unknown: object,
    ) -> Any:
        """Make a function one that is computed once per argument set, by whichever caller comes first.

        Equal arguments are one entry, however they are spelled. The entry is the function's own: its name, its code, the app's own
        functions that it calls, the constants that these read, and *version* are part of the key. Libraries and what is filled at
        run time are not, so say `version=2` when one of those has changed.
        `None` is stored like any value, errors are not.

        Args:
            function: A plain or `async def` function.
            ttl: How long a value is fresh: seconds, a timedelta, or "90s", "15m", "1h", "7d". For
                ever by default.
            stale: How much longer an old value is served while one caller computes a new one.
            scope: Whose the values are: "app", "user", "session", "tab" or "page".
            tags: Names under which `stash.forget(tag=...)` forgets values of several functions at
                once.
            version: Any plain value; another one makes it another function.
            ignore: Parameters, and variables from around a nested function, that do not matter for
                the result: a connection.
            share: Whether references to the values open for every session. Needed to mint them
                outside a request.
            **unknown: Nothing; there to say what was meant.

        Raises:
            ConfigError: An option cannot be used, or the function is a method whose `self` is not
                ignored.
        """
        mistakes.check_options(function, unknown)
        check_scope(scope)
        if isinstance(tags, str):
            raise ConfigError(f"tags={tags!r} would be one tag per letter: write tags=({tags!r},)")
        tags = tuple(tags) if isinstance(tags, Iterator) else tags
        mistakes.check_names("tags", tags, 'texts, as in tags=("sales",)')
        mistakes.check_names("ignore", ignore, "the name of a parameter, or several")
        if stale is not None and ttl is None:
            raise ConfigError(
                f"stale={stale!r} is how much longer a value is served after its ttl: give ttl= too"
            )
        if share and scope != "app":
            raise ConfigError(
                f"share=True opens values to everybody, scope={scope!r} keeps them apart: choose one"
            )
        options = Options(
            float("inf") if ttl is None else seconds(ttl, "ttl"),
            0.0 if stale is None else seconds(stale, "stale"),
            scope,
            tuple(tags),
            version,
            frozenset([ignore] if isinstance(ignore, str) else ignore),
            share,
        )
        return (
            self._memo(function, options)
            if function is not None
            else lambda later: self._memo(later, options)
        )

    def _memo(self, function: Callable[..., Any], options: Options) -> Memo[Any, Any]:
        if "dash" in sys.modules:
            from dash_stash import plugin

            plugin.check_memo(function, self._app())
        kind = AsyncMemo if inspect.iscoroutinefunction(function) else Memo
        memo: Memo[Any, Any] = kind(self, function, options)
        twins = self._memos.setdefault(memo.id, weakref.WeakSet())
        for twin in twins:
            files = identity.source_file(twin.function), identity.source_file(memo.function)
            if files[0] != files[1] and bytecode.digest(twin.function.__code__) == bytecode.digest(
                memo.function.__code__
            ):
                raise ConfigError(
                    f"two functions are called {memo.name} and have the same code, in {files[0]} and {files[1]}: "
                    "they would share their values. Give one of them a version=..."
                )
        twins.add(memo)
        return memo

    @patiently()
    def forget(self, *, tag: str) -> None:
        """Forget all values with *tag*, those that are being computed included.

        Raises:
            ConfigError: It is not one tag.
        """
        if not isinstance(tag, str):
            raise ConfigError(
                f"tag={tag!r} is not one tag: forget one after the other, by its text"
            )
        self.store.forget_tag(f"tag:{tag}")

    # Values and references

    @patiently()
    def put(self, value: T, *, ttl: Duration | None = None, share: bool = False) -> Ref[T]:
        """Store a value and return a reference to it, for this browser session, or with *share* for everybody.

        Args:
            value: Anything that can be pickled.
            ttl: How long it is kept at most.
            share: Needed outside a request.

        Raises:
            Unstorable: It cannot be pickled.
            NoSession: There is no session, and not *share*.
            StoreUnavailable: The store is full or out of reach.
        """
        now = self.clock()
        gone_at = float("inf") if ttl is None else now + seconds(ttl, "ttl")
        owner = APP if share else self.visits.owner("session", "stash.put()")
        target = Target(
            secrets.token_bytes(keys.KEY_SIZE), "app" if share else "session", is_memo=False
        )
        ref: Ref[T] = self.references.mint(target, share=share)
        facts = Facts("put", type(value).__qualname__, now, gone_at, gone_at, owner)
        if not self.store.commit(None, target.key, facts, encode(value)):
            raise NoSession("stash.put()", "session")  # it has ended meanwhile
        return ref

    def ref(self, text: str) -> Ref[Any]:
        """Return the reference that *text* is.

        Raises:
            RefInvalid: It is none that this session may open.
        """
        try:
            return self.references.open(text, "the text given to stash.ref()")
        except (RefInvalid, RefExpired) as error:
            error.references = (text,)
            raise

    def warn(self, error: StoreUnavailable) -> None:
        """Log that the store cannot be used, once a minute."""
        now = self.clock()
        if now - self._warned_at >= _WARN_EVERY:
            self._warned_at = now
            _log.warning("%s Memo functions go on computing, without sharing.", error)


def _request() -> Request | None:
    """The request that a Dash app of this program is answering, if it has one: also a Stash without an app has to hide it."""
    if "dash" not in sys.modules:
        return None
    from dash_stash import plugin

    return plugin.REQUEST


def _secrets(given: str | bytes | Sequence[str | bytes] | None) -> list[bytes]:
    """The secrets that were given, or that the environment has; none if neither."""
    if given is None:
        given = list(filter(None, os.environ.get(SECRET_VARIABLE, "").split(",")))
        if given:
            mistakes.check_secrets(given, SECRET_VARIABLE)
    else:
        given = [given] if isinstance(given, str | bytes) else given
        mistakes.check_secrets(given, "secret=")
    return [secret.encode() if isinstance(secret, str) else secret for secret in given]


def _limits(
    max_bytes: Size,
    max_entries: int,
    max_sessions: int,
    max_session_bytes: Size | None,
    idle: Duration,
) -> Limits:
    mistakes.check_count("max_entries", max_entries)
    mistakes.check_count("max_sessions", max_sessions)
    room = in_bytes(max_bytes, "max_bytes")
    share = (
        max(1, room // 4)
        if max_session_bytes is None
        else in_bytes(max_session_bytes, "max_session_bytes")
    )
    limits = Limits(room, max_entries, max_sessions, share, seconds(idle, "idle"))
    for name in Limits.__slots__:
        if getattr(limits, name) <= 0:
            raise ConfigError(f"{name}={getattr(limits, name)} must be more than 0")
    return limits
