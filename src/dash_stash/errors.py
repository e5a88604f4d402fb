"""Everything that dash-stash raises.

StashError
├── ConfigError         (ValueError)       Stash(...) or @stash.memo cannot use what it was given
│   └── StoreUnsafe     (PermissionError)  others could write to the store's folder
├── StoreUnavailable    (OSError)          the store is full, gone or out of reach
│   └── BudgetExceeded  (OSError)          a value, or one session's data, exceeds its limit
├── Unstorable          (TypeError)        a value that cannot be stored
├── UnhashableArgument  (TypeError)        no key can be made from an argument
├── ComputeFailed       (RuntimeError)     another worker failed with an error that is not picklable
├── FlightCycle         (RecursionError)   a computation waits for itself
├── ReentrantCall       (RuntimeError)     a signal handler or __del__ waits for what it interrupts
├── VariableUnreadable  (KeyError)         a stored variable that this program cannot unpickle
├── NoSession           (RuntimeError)     there is no browser session (or user, tab, page) here
├── ScopeTooWide        (RuntimeError)     a memo function for many reads the data of one visitor
├── RefInvalid          (PermissionError)  this session may not open a reference
├── RefExpired          (LookupError)      a reference's value is gone and cannot be computed again
├── PartMissing         (KeyError)         a reference names a part that the stored value lacks
└── SharedStateChanged  (RuntimeError)     a callback changed a variable outside its scope
"""

from __future__ import annotations


class StashError(Exception):
    """The base of every error of dash-stash."""


class ConfigError(StashError, ValueError):
    """`Stash(...)` or `@stash.memo` was given something it cannot use."""


class StoreUnsafe(ConfigError, PermissionError):
    """Somebody else than the owner could change what is stored in the folder."""

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
        """Take the store's address, and why it cannot be used."""
        super().__init__(where, reason)
        self.where, self.reason = where, reason

    def __str__(self) -> str:
        return f"the stash at {self.where} cannot be used now: {self.reason}. Nothing was stored."


class BudgetExceeded(StoreUnavailable):
    """A value is too large for the store, or one session (or user) would store too much."""

    def __init__(self, where: str, what: str, size: int, budget: str) -> None:
        """Take the store's address, the owner of the data, its bytes, and the limit's option."""
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
    """No key can be made from an argument of a memo function."""

    def __init__(self, function: str, parameter: str, path: str, kind: str) -> None:
        """Take the function, its parameter, the path inside the argument and the type found there.

        *parameter* can also be a variable that the function closes over.
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
        "needs its own result while computing it (perhaps in a signal handler or a __del__ "
        "that ran meanwhile). Call the undecorated function, or change an argument."
    )
    """The text for a memo function."""

    CHANGING = (
        "cannot be changed while it is being changed: the function given to modify "
        "(or a signal handler or a __del__ that ran meanwhile) changes it. "
        "Let that function return the new value, and change nothing itself."
    )
    """The text for a variable."""

    def __init__(self, name: str, why: str = COMPUTING) -> None:
        """Take the name of the function or variable, and one of the texts above."""
        super().__init__(name, why)
        self.name, self.why = name, why

    def __str__(self) -> str:
        return f"{self.name} {self.why}"


class ReentrantCall(StashError, RuntimeError):
    """A signal handler, `__del__` or weakref callback interrupted a call of the stash to call it.

    It would wait for ever for the call that it has interrupted.
    """

    def __str__(self) -> str:
        return (
            "a signal handler, a __del__ or a weakref callback called the stash, but it has "
            "interrupted a call of the same store in the same thread: it would wait for ever. "
            "Nothing was stored. Let the handler set a flag or raise an exception, "
            "and use the stash where the flag is read or the exception is caught."
        )


class VariableUnreadable(StashError, KeyError):
    """A variable is stored, but this program cannot unpickle it.

    One of its classes was renamed, or a library has changed.
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
        "or the page is in a frame of another site, for example in a notebook: "
        "write Stash(cross_site=True), and serve it over https; "
        "or several machines serve the app, and each has its own folder and therefore its own "
        "secret: set the DASH_STASH_URL of one server and one DASH_STASH_SECRET on all of them"
    )
    """A request has no session."""

    UNIDENTIFIED = (
        "this request does not say which one it comes from. Callbacks, layouts and the requests of "
        "a page's scripts (fetch, XMLHttpRequest) do; a link, a form, an image or another GET "
        "route does not: use stash.session there. "
        "If it was a callback, its page was opened in another session: reload the page"
    )
    """A request has no tab or page."""

    BEGUN = (
        "the answer of a streaming callback has begun, so it can no longer set a cookie. "
        "Do this in a callback that returns its answer"
    )

    OUTSIDE = (
        "this is no request of a browser. At start-up, in a job or in a static layout, write "
        "share=True, or use stash.app. For a layout that is a function, write Stash(app), "
        "or stash.init_app(app), above app.layout = ... "
        "For a thread or a background callback, read the data in an ordinary callback and pass it. "
        "In a test, call the callback through app.server.test_client(), "
        "or test the function that it calls"
    )
    UNSERVED = (
        "this Stash serves no app. Call stash.init_app(app); in a job, write share=True, "
        "or use stash.app"
    )
    NOBODY = (
        "the function Stash(user=...) says that nobody is logged in. "
        "Ask the visitor to log in, or use stash.session for visitors who are not logged in"
    )

    def __init__(self, what: str, scope: str, why: str = UNPROVEN) -> None:
        """Take what was used, the scope that it needs, and one of the texts above."""
        super().__init__(what, scope, why)
        self.what, self.scope, self.why = what, scope, why

    def __str__(self) -> str:
        return f"{self.what} needs a {self.scope}, and there is none here: {self.why}."


class ScopeTooWide(StashError, RuntimeError):
    """A memo function reads one visitor's data, but other visitors would get its value too."""

    def __init__(self, function: str, scope: str, what: str, needed: str) -> None:
        """Take the function and its scope, and the name and scope of what it reads."""
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
    """The texts of the references that the browser should forget, if they are known."""

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
        "It was not signed with this app's name and secret. This is normal after a deploy with a "
        "new secret (set DASH_STASH_SECRET to keep references valid), and where several machines "
        "serve the app, and each has its own folder and therefore its own secret (set the "
        "DASH_STASH_URL of one server and one DASH_STASH_SECRET on all of them)."
    ),
    "foreign": (
        "It was made for another browser session: somebody else's, or one that this browser had "
        "before it logged out or lost its cookie. If everybody may open it, "
        "make it with share=True."
    ),
    "no reference": (
        "It is some other text, or most of it is missing: a reference begins with stash: "
        "and has 72 or more characters."
    ),
    "made from text": (
        "Ref(text) cannot load a value: write stash.ref(text), which checks the text first."
    ),
    "cut": "It is not whole: something has shortened or changed the text on its way here.",
}


class RefExpired(StashError, LookupError):
    """The value of a reference is gone and cannot be computed again."""

    references: tuple[str, ...] = ()
    """The texts of the references that the browser should forget, if they are known."""

    def __init__(self, what: str, reason: str) -> None:
        """Take what the reference points at, and why that cannot be computed again."""
        super().__init__(what, reason)
        self.what, self.reason = what, reason

    def __str__(self) -> str:
        return f"{self.what} is gone: {self.reason}. Reload the page to start afresh."


class PartMissing(StashError, KeyError):
    """A reference names a part that the stored value does not have."""

    references: tuple[str, ...] = ()
    """The texts of the references that the browser should forget, if they are known."""

    def __init__(self, part: str | int, known: str) -> None:
        """Take the missing part, and the parts that exist."""
        super().__init__(part, known)
        self.part, self.known = part, known

    def __str__(self) -> str:
        return f"the stored value has no part {self.part!r}; it has {self.known}"


class SharedStateChanged(StashError, RuntimeError):
    """A callback changed a variable outside its scope, and the guard is set to raise."""

    def __init__(self, report: str) -> None:
        """Take the guard's report: which callback changed what, and what to do instead."""
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return self.report
