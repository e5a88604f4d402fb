"""`Stash`: one store, what is shared through it, and the app that it serves."""

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
    """What `@stash.memo(...)` is, with options."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncMemo[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Memo[P, R]: ...


class Stash:
    """Shares data between the callbacks of an app: over threads, workers and users, safely.

    `stash.app`, `stash.user`, `stash.session`, `stash.tab` and `stash.page` are mappings of
    variables kept on the server, for the whole app, for the present user, browser session and tab,
    and for one load of a page.

    Without *url*, the store is at DASH_STASH_URL, or in a folder of the app in the user's cache
    folder (`dash-stash where` prints it). Without *name*, the app is called DASH_STASH_NAME, or as
    the module that makes the Stash. Without *secret*, it is DASH_STASH_SECRET, or, for a folder,
    one that is made and kept for it. Without an app, references must be shared, and sessions and
    pages do not exist.

    Args:
        app: The app to serve; `init_app` can be called later instead.
        url: `file:///an/absolute/folder`, the same for all workers; or, for many machines, a
            Redis or Valkey server: `redis://host:6379/0` (docs/scale.md has the other forms).
        name: What the app is called: letters, digits and _ . -. Apps of different names share
            nothing, whatever else they share. Those of one name are one app, wherever its code is:
            after a deploy into a new folder, in containers, in jobs. Without a name, a notebook has
            its own, and where no file is known (`python -c`, a shell) this process has one.
        secret: What seals entries, references and cookies, at least 16 bytes. Of several, the first
            seals and all open, so that one can replace another while the app runs; in
            DASH_STASH_SECRET they stand with commas between them.
        user: Called in a request, returns the id of the user who asks, None for nobody. It says
            whose `stash.user` is.
        max_bytes: How many bytes are kept at most, also as "500MB" or "2GiB". What is cheapest to
            compute again goes first. With a server, this and *max_entries* hold for what each
            machine keeps of it, and the server's own `maxmemory` holds for the whole.
        max_entries: How many values are kept at most.
        max_sessions: How many browser sessions have something stored at most. Those that came only
            once, then those that came longest ago, go first.
        max_session_bytes: How many bytes of *max_bytes* one session (tabs and pages included)
            or user may have; a quarter by default.
        idle: How long the data of a session, tab or page is kept that nobody uses: seconds, a
            timedelta, or "12h".
        cross_site: Whether pages work in frames of other sites too (they need https, and the
            app its own protection against requests forged by other sites).
        on_expired: Gets the error, returns the text of the notice that a page shows when its data
            is gone.
        guard: What happens when a variable outside of a callback's scope was changed while the
            callback ran: "warn" in the log and in Dash's error panel, "raise" SharedStateChanged
            instead of the callback's value, or nothing with "off". By default "warn" when the app
            runs in Dash's debug mode, else "off".
        clock: Tells the time in seconds since the epoch; for tests.

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
        """Set an attribute that is not a scope's variables.

        A dict in the place of `session` would be one for all visitors of this process.
        """
        if isinstance(vars(self).get(name), Variables):
            raise AttributeError(  # noqa: TRY004 (the type is that of what is there)
                f"stash.{name} cannot be replaced, which would be for every visitor of this "
                f'process: to store a variable write stash.{name}["name"] = ..., '
                f"to store several stash.{name}.update(...)"
            )
        super().__setattr__(name, value)

    def init_app(self, app: Dash) -> None:
        """Serve *app*: its callbacks get values for references, and it has sessions and pages.

        Raises:
            ConfigError: Its Dash is too old, its backend is not Flask, it has a Stash already, or
                the Stash serves another app.
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
        """What the app is called."""
        return self._settings.name.text

    def _folder_of(self, app: Dash) -> pathlib.Path:
        is_named = self._settings.name.is_given
        return folders.named_folder() if is_named else folders.app_folder(app.config.name)

    def _open(self, url: str) -> None:
        try:
            self._open_store(url)
        except ConfigError as error:
            if self._settings.is_url_found:
                error.add_note(f"The URL is what the environment's {urls.VARIABLE} says.")
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
        """Compute a function once per argument set, by whichever caller comes first.

        Equal arguments are one entry, however they are spelled. The entry is the function's own:
        its name, its code, the app's own functions that it calls, the constants that these read,
        and *version* are part of the key. Libraries and what is filled at run time are not, so say
        `version=2` when one of those has changed. `None` is stored like any value, errors are not.

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
        """Forget all values with *tag*, those that are being computed included.

        Raises:
            ConfigError: It is not one tag.
        """
        if not isinstance(tag, str):
            raise ConfigError(
                f"tag={tag!r} is not one tag: forget one after the other, by its text"
            )
        self._deployment.store.forget_tag(f"tag:{tag}")

    # Values and references

    @patiently()
    def put(self, value: T, *, ttl: Duration | None = None, share: bool = False) -> Ref[T]:
        """Store a value and return a reference to it.

        The reference opens in this browser session, or with *share* for everybody.

        Args:
            value: Anything that can be pickled.
            ttl: How long it is kept at most.
            share: Needed outside a request.

        Raises:
            Unstorable: It cannot be pickled.
            NoSession: There is no session, and not *share*.
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
            raise NoSession(what, "session")  # it has ended meanwhile
        return ref

    def ref(self, text: str) -> Ref[Any]:
        """Return the reference that *text* is.

        Raises:
            RefInvalid: It is not one that this session may open.
            RefExpired: It was made to last for some time only, which has passed.
        """
        try:
            return self._deployment.references.open(text, "the text given to stash.ref()")
        except (RefInvalid, RefExpired) as error:
            error.references = (text,)
            raise


def _request() -> Request | None:
    """Return the request that a Dash app of this program is answering, if it is.

    A Stash without an app hides it from memo functions, too.
    """
    if "dash" not in sys.modules:
        return None
    from dash_stash import plugin

    return plugin.REQUEST
