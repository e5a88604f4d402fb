"""`Stash`: connects an app to a store, and shares data through it."""

from __future__ import annotations

import inspect
import os
import pathlib
import secrets
import sys
import weakref
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Protocol, TypeVar, overload

from dash_stash import claims, folders, identity, keys, mistakes, naming, settings, urls
from dash_stash.cache import FunctionCache
from dash_stash.clock import Clock, Duration, seconds, system_clock
from dash_stash.codec import encode
from dash_stash.deployment import Deployment
from dash_stash.entries import Facts
from dash_stash.errors import ConfigError, NoSession, RefExpired, RefInvalid, StashError
from dash_stash.memo import AsyncMemo, Memo
from dash_stash.owner import APP, Scope
from dash_stash.ref import Ref, References, Target
from dash_stash.resolver import Resolver
from dash_stash.settings import Settings
from dash_stash.signature import MemoOptions
from dash_stash.sizes import Size
from dash_stash.state import Session, Variables
from dash_stash.stores.base import patiently
from dash_stash.stores.registry import Terms, open_store
from dash_stash.visitor import CurrentVisitor, Request

if TYPE_CHECKING:
    from dash import Dash

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class _Decorator(Protocol):
    """The type of `@stash.memo(...)` with options."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncMemo[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Memo[P, R]: ...


class Stash:
    """Shares data between the callbacks of an app: safely across threads, workers and users.

    `stash.app`, `stash.user`, `stash.session`, `stash.tab` and `stash.page` are mappings. They keep
    variables on the server: for the whole app, for the present user, browser session and tab, and
    for one load of a page.

    Without *url*, the store is at DASH_STASH_URL, or in a folder for this app inside the user's
    cache folder (`dash-stash where` prints it). Without *name*, the app's name is DASH_STASH_NAME,
    or the name of the module that makes the Stash. Without *secret*, the secret is
    DASH_STASH_SECRET; a folder can also do without, and then gets a secret of its own. Without an
    app, every reference must be shared, and there are no sessions or pages.

    Args:
        app: The app to serve. You can call `init_app` later instead.
        url: `file:///an/absolute/folder`, the same for all workers; or, for many machines, a
            Redis or Valkey server: `redis://host:6379/0` (docs/scale.md lists the other forms).
        name: The app's name: letters, digits and _ . -. Apps with different names share nothing,
            even with the same store and secret. Apps with one name are one app, wherever the code
            is: after a deploy into a new folder, in containers, in jobs. Without a name, each
            notebook gets its own; where no file is known (`python -c`, a shell), each process does.
        secret: The secret that seals entries, references and cookies; at least 16 bytes. If there
            are several, the first seals and all open, so you can replace a secret while the app
            runs. In DASH_STASH_SECRET, separate them with commas.
        user: A function that is called in a request and returns the id of the user who makes it,
            or None for nobody. `stash.user` belongs to that user.
        max_bytes: The most bytes that are kept, as a number or as "500MB" or "2GiB". What is
            cheapest to compute again is evicted first. With a server, this and *max_entries* limit
            what each machine keeps of it, and the server's own `maxmemory` limits the whole.
        max_entries: The most values that are kept.
        max_sessions: The most browser sessions that can have something stored. Sessions that came
            only once are removed first, then the ones that came longest ago.
        max_session_bytes: The most bytes of *max_bytes* that one user, or one session with its
            tabs and pages, can have; a quarter by default.
        idle: How long the data of an unused session, tab or page is kept: seconds, a timedelta,
            or "12h".
        cross_site: Whether pages also work inside frames of other sites. They then need https, and
            the app needs its own protection against requests that other sites forge.
        on_expired: A function that gets the error and returns the text of the notice that a page
            shows when its data is gone.
        guard: What to do when a variable outside a callback's scope has changed while the callback
            ran: "warn" writes to the log and to Dash's error panel, "raise" raises
            SharedStateChanged instead of returning the callback's value, "off" does nothing. The
            default is "warn" in Dash's debug mode, and "off" otherwise.
        clock: A function that returns the time in seconds since the epoch; for tests.

    Raises:
        ConfigError: An argument, or the app, cannot be used.
        StoreUnsafe: Others can write to the folder, or it is on a network file system.
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
        mistakes.check_first(app, url)
        mistakes.warn_of_variables(os.environ)
        limits = settings.limits_of(max_bytes, max_entries, max_sessions, max_session_bytes, idle)
        identity.alias_main()
        self._settings = Settings(
            naming.find(name),
            *settings.url_of(url),
            secrets=settings.secrets_of(secret),
            limits=limits,
            user=user,
            cross_site=cross_site,
            on_expired=on_expired,
            guard=guard,
            clock=clock,
        )
        visitor = CurrentVisitor(_request, knows_users=user is not None)
        deployment = self._deployment = Deployment(self._settings, visitor)
        self._caches: dict[bytes, weakref.WeakSet[FunctionCache]] = {}
        self._app: Callable[[], Dash | None] = lambda: None
        self.app, self.user = Variables(deployment, "app"), Variables(deployment, "user")
        self.session = Session(deployment, "session")
        self.tab, self.page = Variables(deployment, "tab"), Variables(deployment, "page")
        if app is not None:
            self.init_app(app)
        elif self._settings.url is not None:
            self._open(self._settings.url)

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute, but refuse to replace the variables of a scope.

        If a dict replaced `session`, all visitors of this process would share it.
        """
        if isinstance(vars(self).get(name), Variables):
            raise AttributeError(  # noqa: TRY004 (the type is that of what is there)
                f"stash.{name} cannot be replaced: every visitor of this process would get the new "
                f'object. To store a variable, write stash.{name}["name"] = ...; '
                f"to store several, write stash.{name}.update(...)"
            )
        super().__setattr__(name, value)

    def init_app(self, app: Dash) -> None:
        """Serve *app*: its callbacks receive values in place of references, and it gets sessions.

        Raises:
            ConfigError: The app's Dash is too old, its backend is not Flask, it has a Stash
                already, or this Stash serves another app.
        """
        from dash_stash import plugin

        plugin.check(app)
        deployment = self._deployment
        prefix = app.config.requests_pathname_prefix.strip("/")
        if deployment.visitor.serves_app:
            deployment.check_prefix(prefix)
        if not deployment.is_open:
            url = self._settings.url
            self._open(self._folder_of(app).as_uri() if url is None else url)
        self._app = weakref.ref(app)
        deployment.visitor.serves_app, deployment.prefix = True, prefix
        plugin.install(app, deployment)

    @property
    def name(self) -> str:
        """The app's name."""
        return self._settings.name.text

    def _folder_of(self, app: Dash) -> pathlib.Path:
        is_named = self._settings.name.is_given
        return folders.named_folder() if is_named else folders.app_folder(app.config.name)

    def _open(self, url: str) -> None:
        try:
            self._open_store(url)
        except ConfigError as error:
            if self._settings.is_url_found:
                error.add_note(f"The URL comes from the environment variable {urls.VARIABLE}.")
            raise

    def _open_store(self, url: str) -> None:
        deployment, asked = self._deployment, self._settings
        terms = Terms(self.name, asked.secrets, asked.limits, asked.clock, deployment.warn)
        store, seal, folder = open_store(url, terms)
        deployment.clock = store.clock
        claims.claim(folder, asked.name)
        resolver = Resolver(deployment, self._caches)
        key, clock = seal.key("reference"), deployment.clock
        references = References(key, deployment.visitor, resolver.load, resolver.delete, clock)
        deployment.open(store, seal, references)

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
        """Make a memo function: the first caller with some arguments computes, all others read.

        Equal arguments share one entry, whether they are passed by position or by name. The key
        contains the function's name, its code, the app's own functions that it calls, the constants
        that all of these read, and *version*. It does not contain libraries, or data that the
        program fills at run time: write `version=2` when one of them has changed. `None` is stored
        like any value; errors are not stored.

        Args:
            function: A plain or `async def` function.
            ttl: How long a value is fresh: seconds, a timedelta, or "90s", "15m", "1h", "7d".
                By default it stays fresh for ever.
            stale: How much longer an old value is served while one caller computes a new one.
            scope: Who owns the values: "app", "user", "session", "tab" or "page".
            tags: Names with which `stash.forget(tag=...)` forgets values of several functions at
                once.
            version: Any plain value. When it changes, all values are computed again.
            ignore: Names of parameters, or of variables that a nested function closes over, which
                do not change the result: a connection, for example.
            share: Whether references to the values open in every session. Outside a request,
                references need it.
            **unknown: Not accepted: the error names the option that was probably meant.

        Raises:
            ConfigError: An option cannot be used, or the function is a method and does not ignore
                `self`.
        """
        mistakes.check_options(function, unknown)
        options = MemoOptions.checked(
            ttl=ttl,
            stale=stale,
            scope=scope,
            tags=tags,
            version=version,
            ignore=ignore,
            share=share,
        )
        if function is None:
            return lambda later: self._memo(later, options)
        return self._memo(function, options)

    def _memo(self, function: Callable[..., Any], options: MemoOptions) -> Memo[Any, Any]:
        if "dash" in sys.modules:
            from dash_stash import plugin

            plugin.check_memo(function, self._app())
        if isinstance(function, Memo):
            name = function._cache.name
            raise ConfigError(f"{name}() is a memo function already: write @stash.memo once")
        cache = FunctionCache(function, options, self._deployment)
        twins = self._caches.setdefault(cache.id, weakref.WeakSet())
        for twin in twins:
            cache.check_distinct(twin)
        twins.add(cache)
        return AsyncMemo(cache) if inspect.iscoroutinefunction(function) else Memo(cache)

    @patiently()
    def forget(self, *, tag: str) -> None:
        """Forget all values with *tag*, including values that are being computed now.

        Raises:
            ConfigError: *tag* is not a text.
        """
        if not isinstance(tag, str):
            raise ConfigError(
                f"tag={tag!r} is not one tag: pass one text, and call forget once for each tag"
            )
        self._deployment.store.forget_tag(f"tag:{tag}")

    # Values and references

    @patiently()
    def put(self, value: T, *, ttl: Duration | None = None, share: bool = False) -> Ref[T]:
        """Store a value and return a reference to it.

        The reference opens in this browser session only; with *share*, it opens for everybody.

        Args:
            value: Anything that can be pickled.
            ttl: How long the value is kept at most: seconds, a timedelta, or "15m".
            share: Whether everybody may open the reference; required outside a request.

        Raises:
            Unstorable: The value cannot be pickled.
            NoSession: There is no session, and *share* is false.
            StoreUnavailable: The store is full or out of reach.
        """
        deployment, what = self._deployment, "stash.put()"
        now = deployment.clock()
        gone_at = float("inf") if ttl is None else now + seconds(ttl, "ttl")
        owner = APP if share else deployment.visitor.owner("session", what)
        key = secrets.token_bytes(keys.KEY_SIZE)
        target = Target(key, "app" if share else "session", is_memo=False)
        ref: Ref[T] = deployment.references.mint(target, share=share)
        facts = Facts("put", type(value).__qualname__, now, gone_at, gone_at, owner)
        if not deployment.store.commit(None, key, facts, encode(value)):
            raise NoSession(what, "session")  # the session has ended meanwhile
        return ref

    def ref(self, text: str) -> Ref[Any]:
        """Turn text back into a reference: `stash.ref(text).get()` loads the value.

        Raises:
            RefInvalid: The text is not a reference, or this session may not open it.
            RefExpired: The reference was made for a limited time (`lasting`), which has passed.
        """
        try:
            return self._deployment.references.open(text, "the text given to stash.ref()")
        except (RefInvalid, RefExpired) as error:
            error.references = (text,)
            raise


def _request() -> Request | None:
    """Return the request that a Dash app of this program is answering now, or None.

    A Stash without an app hides the request from memo functions, too.
    """
    if "dash" not in sys.modules:
        return None
    from dash_stash import plugin

    return plugin.REQUEST
