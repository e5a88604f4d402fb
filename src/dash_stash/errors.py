"""Everything that dash-stash raises.

StashError
├── ConfigError         (ValueError)       Stash(...) or @stash.memo was given what it cannot use
│   └── StoreUnsafe     (PermissionError)  others could write to the store's folder
├── StoreUnavailable    (OSError)          the store is full, gone or out of reach
│   └── BudgetExceeded  (OSError)          a value, or one session's data, exceeds its limit
├── Unstorable          (TypeError)        a value that cannot be stored
├── UnhashableArgument  (TypeError)        an argument that no key can be made from
├── ComputeFailed       (RuntimeError)     another worker's error, which cannot be pickled
├── FlightCycle         (RecursionError)   a computation waits for itself
├── ReentrantCall       (RuntimeError)     a signal handler or __del__ waits for what it interrupts
├── VariableUnreadable  (KeyError)         a stored variable that this program cannot unpickle
├── NoSession           (RuntimeError)     there is no browser session (or user, tab, page) here
├── ScopeTooWide        (RuntimeError)     a memo function for many reads what belongs to one
├── RefInvalid          (PermissionError)  a reference that this session may not open
├── RefExpired          (LookupError)      its value is gone and cannot be computed again
├── PartMissing         (KeyError)         a reference to a part that the stored value does not have
└── SharedStateChanged  (RuntimeError)     a callback changed a variable outside of its scope
"""

from __future__ import annotations


class StashError(Exception):
    """The base of every error of dash-stash."""


class ConfigError(StashError, ValueError):
    """`Stash(...)` or `@stash.memo` was given something it cannot use."""


class StoreUnsafe(ConfigError, PermissionError):
    """Others than the owner could change what is stored."""

    def __init__(self, folder: str, reason: str) -> None:
        """Take the folder and what is wrong with it."""
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def __str__(self) -> str:
        return f"the stash folder {self.folder!r} is not used: {self.reason}"


class StoreUnavailable(StashError, OSError):
    """The store is full, gone or out of reach.

    Memo functions still compute and return; `put` and variables raise this.
    """

    def __init__(self, where: str, reason: str) -> None:
        """Take the store's address and what it answered."""
        super().__init__(where, reason)
        self.where, self.reason = where, reason

    def __str__(self) -> str:
        return f"the stash at {self.where} cannot be used now: {self.reason}. Nothing was stored."


class BudgetExceeded(StoreUnavailable):
    """A value is too large for the store, or one session (or user) would store too much."""

    def __init__(self, where: str, what: str, size: int, budget: str) -> None:
        """Take the store's address, whose data it is, its bytes, and the option that limits it."""
        super().__init__(where, f"{size:,} bytes more for {what} would exceed {budget}")
        self.args = where, what, size, budget
        self.what, self.size, self.budget = what, size, budget

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.reason}. Nothing was stored. "
            "Store less, delete what is no longer needed, or raise the limit."
        )


class Unstorable(StashError, TypeError):
    """A value, or something inside it, cannot be stored."""

    def __init__(self, path: str, kind: str, reason: str) -> None:
        """Take the path inside the value, the type found there, and what pickle said."""
        super().__init__(path, kind, reason)
        self.path, self.kind, self.reason = path, kind, reason

    def __str__(self) -> str:
        return (
            f"{self.path} is a {self.kind}, which cannot be stored: {self.reason}. "
            "Nothing was stored. Leave it out, or store what it can be made from."
        )


class UnhashableArgument(StashError, TypeError):
    """A memo function was called with an argument that no key can be made from."""

    def __init__(self, function: str, parameter: str, path: str, kind: str) -> None:
        """Take the function, its parameter, the path inside the argument and the type found there.

        In the place of a parameter it may be a variable that the function closes over.
        """
        super().__init__(function, parameter, path, kind)
        self.function, self.parameter, self.path, self.kind = function, parameter, path, kind

    def __str__(self) -> str:
        return (
            f"{self.function}(): no key can be made from {self.path}, a {self.kind}. "
            "Pass plain data (scalars, containers, dates, dataclasses, arrays, frames or a Ref), "
            "or, if the result does not depend on it, "
            f"write @stash.memo(ignore={self.parameter!r})."
        )


class ComputeFailed(StashError, RuntimeError):
    """Another worker computed this value and failed with an error that cannot be pickled."""

    def __init__(self, kind: str, text: str) -> None:
        """Take the original error's type name and text."""
        super().__init__(kind, text)
        self.kind, self.text = kind, text

    def __str__(self) -> str:
        return (
            f"the worker that computed this value raised {self.kind}: {self.text}. "
            "The next call computes it again."
        )


class FlightCycle(StashError, RecursionError):
    """A computation asked for the very value that it is computing."""

    COMPUTING = (
        "needs its own result while computing it (perhaps from a signal handler or a __del__ "
        "that ran meanwhile). Call the undecorated function, or change an argument."
    )
    """Of a memo function."""

    CHANGING = (
        "is to be changed while it is being changed, by the function that modify was given "
        "(or by a signal handler or a __del__ that ran meanwhile). "
        "Let that function return the new value, and change nothing itself."
    )
    """Of a variable."""

    def __init__(self, name: str, why: str = COMPUTING) -> None:
        """Take the name of the function or variable, and why it fails, with what to do instead."""
        super().__init__(name, why)
        self.name, self.why = name, why

    def __str__(self) -> str:
        return f"{self.name} {self.why}"


class ReentrantCall(StashError, RuntimeError):
    """A thread that was in the middle of a call of the stash was interrupted to call it again.

    By a signal handler, `__del__` or a weakref callback.
    """

    def __str__(self) -> str:
        return (
            "a signal handler, a __del__ or a weakref callback uses the stash, and has interrupted "
            "a call of the same store in the same thread: it would wait for ever. "
            "Nothing was stored. Let the handler set a flag or raise an exception, "
            "and use the stash where the flag is read or the exception is caught."
        )


class VariableUnreadable(StashError, KeyError):
    """A variable is stored, but this program cannot unpickle it.

    A class of it was renamed, or a library has changed.
    """

    def __init__(self, variable: str, reason: str) -> None:
        """Take the variable as it is written in the program, and what pickle said."""
        super().__init__(variable, reason)
        self.variable, self.reason = variable, reason

    def __str__(self) -> str:
        return (
            f"{self.variable} is stored, but this program cannot read it: {self.reason}. "
            "Nothing was changed. Bring back the class that it needs, "
            f"replace it ({self.variable} = ...), or delete it (del {self.variable})."
        )


class NoSession(StashError, RuntimeError):
    """There is no browser session (or user, tab, page) here, or it has ended."""

    UNPROVEN = (
        "the browser sent no cookie of this app that is valid here. "
        "If the session has ended, or the page is older than the server's secret: reload the page. "
        "Else the browser refuses cookies; "
        "or this route is outside of the app's path (url_base_pathname), where browsers do not "
        "send its cookie: serve it below that path; "
        "or the page is in a frame of another site, as in a notebook: "
        "write Stash(cross_site=True), and serve it over https; "
        "or several machines serve the app, each with a folder and so a secret of its own: "
        "give all of them one DASH_STASH_URL of a server and one DASH_STASH_SECRET"
    )
    """Why there is none in a request."""

    UNIDENTIFIED = (
        "this request does not prove one. Callbacks, layouts and the requests of a page's scripts "
        "(fetch, XMLHttpRequest) do; a link, a form, an image or another GET route does not: "
        "use stash.session there. "
        "If it was a callback, its page was opened in another session: reload the page"
    )
    """Why there is no tab or page in a request."""

    BEGUN = (
        "the answer of a streaming callback has begun, and no cookie can be set any more. "
        "Do it in a callback that returns"
    )

    OUTSIDE = (
        "this is no request of a browser. At start-up, in a job or in a static layout say "
        "share=True, or use stash.app. For a layout that is a function, write Stash(app), "
        "or stash.init_app(app), above app.layout = ... "
        "To a thread or a background callback pass what it needs, read in an ordinary callback. "
        "In a test, call the callback through app.server.test_client(), "
        "or test the function that it calls"
    )
    UNSERVED = (
        "this Stash serves no app. Call stash.init_app(app); in a job say share=True, "
        "or use stash.app"
    )
    NOBODY = (
        "nobody is logged in, as Stash(user=...) says. "
        "Let them log in, or use stash.session for visitors without a name"
    )

    def __init__(self, what: str, scope: str, why: str = UNPROVEN) -> None:
        """Take what was used, the scope that it needs, and why there is none, with what to do."""
        super().__init__(what, scope, why)
        self.what, self.scope, self.why = what, scope, why

    def __str__(self) -> str:
        return f"{self.what} needs a {self.scope}, and there is none here: {self.why}."


class ScopeTooWide(StashError, RuntimeError):
    """A memo function reads what belongs to one visitor, and serves its value to others too."""

    def __init__(self, function: str, scope: str, what: str, needed: str) -> None:
        """Take the function and its scope, what it reads, and the scope of that."""
        super().__init__(function, scope, what, needed)
        self.function, self.scope, self.what, self.needed = function, scope, what, needed

    def __str__(self) -> str:
        whose = "everybody" if self.scope == "app" else f"the whole {self.scope}"
        return (
            f"{self.function}() computes one value for {whose} (scope={self.scope!r}), "
            f"but reads {self.what}, which belongs to one {self.needed}: "
            f"others would get that {self.needed}'s value. "
            "Read it in the callback and pass it as an argument, "
            f"or write @stash.memo(scope={self.needed!r})."
        )


class RefInvalid(StashError, PermissionError):
    """A browser sent a reference that this session may not open."""

    references: tuple[str, ...] = ()
    """The texts of the references that the browser should forget, as far as they are known."""

    def __init__(self, reason: str, prop: str) -> None:
        """Take what is wrong with it, and the component property or call that it was used in.

        *reason* is one of: forged, foreign, cut, no reference, made from text.
        """
        super().__init__(reason, prop)
        self.reason, self.prop = reason, prop

    def __str__(self) -> str:
        advice = _REFUSED.get(self.reason, "")
        return f"the reference in {self.prop!r} was refused: {self.reason}. {advice}".rstrip()


_REFUSED = {
    "forged": (
        "It was not signed with this app's name and secret. Expected after a deploy with a new "
        "secret (set DASH_STASH_SECRET to keep references valid), and where several machines "
        "serve the app, each with a folder and so a secret of its own (give all of them "
        "one DASH_STASH_URL of a server and one DASH_STASH_SECRET)."
    ),
    "foreign": (
        "It was made for another browser session: somebody else's, or one that this browser had "
        "before it logged out or lost its cookie. To open for everybody, "
        "it must be made with share=True."
    ),
    "no reference": (
        "It is other text, or too little of it is left: a reference begins with stash: "
        "and is 72 letters long, or more."
    ),
    "made from text": (
        "Only what dash-stash has opened has a value: write stash.ref(text) instead of Ref(text)."
    ),
    "cut": "It is not whole: something has shortened or changed the text on its way.",
}


class RefExpired(StashError, LookupError):
    """The value of a reference is gone and cannot be computed again."""

    references: tuple[str, ...] = ()
    """The texts of the references that the browser should forget, as far as they are known."""

    def __init__(self, what: str, reason: str) -> None:
        """Take what the reference stood for, and why that cannot be computed again."""
        super().__init__(what, reason)
        self.what, self.reason = what, reason

    def __str__(self) -> str:
        return f"{self.what} is gone: {self.reason}. Reload the page to start afresh."


class PartMissing(StashError, KeyError):
    """A reference names a part that the stored value does not have."""

    references: tuple[str, ...] = ()
    """The texts of the references that the browser should forget, as far as they are known."""

    def __init__(self, part: str | int, known: str) -> None:
        """Take the missing part and the parts that there are."""
        super().__init__(part, known)
        self.part, self.known = part, known

    def __str__(self) -> str:
        return f"the stored value has no part {self.part!r}; it has {self.known}"


class SharedStateChanged(StashError, RuntimeError):
    """A callback changed a variable outside of its scope, and the guard was told to raise."""

    def __init__(self, report: str) -> None:
        """Take the guard's report: which callback changed what, and what to do instead."""
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return self.report
