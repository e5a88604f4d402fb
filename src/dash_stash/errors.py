"""Everything that dash-stash raises.

StashError
├── ConfigError         (ValueError)       Stash(...) or @stash.memo was given something it cannot use
│   └── StoreUnsafe     (PermissionError)  others could write to the store's folder
├── StoreUnavailable    (OSError)          the store is full, gone or out of reach
│   └── BudgetExceeded  (OSError)          one value, or one session's data, would take more than its share
├── Unstorable          (TypeError)        a value that cannot be pickled
├── UnhashableArgument  (TypeError)        an argument that has no value to make a key of
├── ComputeFailed       (RuntimeError)     another worker's computation failed with an error that cannot be pickled
├── FlightCycle         (RecursionError)   a computation waits for itself
├── ReentrantCall       (RuntimeError)     a signal handler or __del__ would wait for the call that it interrupts
├── VariableUnreadable  (KeyError)         a stored variable that this program cannot unpickle
├── NoSession           (RuntimeError)     there is no browser session (or user, tab, page) here
├── RefInvalid          (PermissionError)  a reference that this session may not open
├── RefExpired          (LookupError)      a reference whose value is gone and cannot be computed again
├── PartMissing         (KeyError)         a reference to a part that the stored value does not have
└── SharedStateChanged  (RuntimeError)     a variable outside of a callback's scope changed while it ran (guard="raise")
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
    """The store is full, gone or out of reach. Memo functions go on computing; `put` and state raise this."""

    def __init__(self, where: str, reason: str) -> None:
        """Take the store's address and what it answered."""
        super().__init__(where, reason)
        self.where, self.reason = where, reason

    def __str__(self) -> str:
        return f"the stash at {self.where} cannot be used now: {self.reason}. Nothing was stored."


class BudgetExceeded(StoreUnavailable):
    """A value is larger than the store, or the data of one session (or user) would be larger than its share."""

    def __init__(self, where: str, what: str, size: int, budget: str) -> None:
        """Take the store's address, whose data it is, the bytes that were to be stored, and the option that sets the limit."""
        super().__init__(where, f"{size:,} bytes more for {what} would exceed {budget}")
        self.args = where, what, size, budget
        self.what, self.size, self.budget = what, size, budget

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}. Nothing was stored. Store less, delete what is no longer needed, or raise the limit."


class Unstorable(StashError, TypeError):
    """A value, or something inside it, cannot be pickled. Nothing was stored."""

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
    """A memo function was called with an argument from whose value no key can be made."""

    def __init__(self, function: str, parameter: str, path: str, kind: str) -> None:
        """Take the function, its parameter (or variable from around it), the path inside the argument and the type found there."""
        super().__init__(function, parameter, path, kind)
        self.function, self.parameter, self.path, self.kind = function, parameter, path, kind

    def __str__(self) -> str:
        return (
            f"{self.function}(): no key can be made from {self.path}, a {self.kind}. Pass plain data "
            f"(scalars, containers, dates, dataclasses, arrays, frames or a Ref), or, if the result does not depend on it, "
            f"write @stash.memo(ignore={self.parameter!r})."
        )


class ComputeFailed(StashError, RuntimeError):
    """Another worker computed this value and failed with an error that cannot be pickled."""

    def __init__(self, kind: str, text: str) -> None:
        """Take the original error's type name and text."""
        super().__init__(kind, text)
        self.kind, self.text = kind, text

    def __str__(self) -> str:
        return f"the worker that computed this value raised {self.kind}: {self.text}"


class FlightCycle(StashError, RecursionError):
    """A computation asked for the very value that it is computing."""

    def __init__(self, name: str) -> None:
        """Take the name of the function or state variable."""
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return (
            f"{self.name} needs its own result while computing it (perhaps from a signal handler or a __del__ that ran meanwhile). "
            "Call the undecorated function, or change an argument."
        )


class ReentrantCall(StashError, RuntimeError):
    """A signal handler, `__del__` or weakref callback used the stash while its own thread was in the middle of a call of it."""

    def __str__(self) -> str:
        return (
            "this thread is in the middle of a call of the same store, which a signal handler, a __del__ or a weakref callback has "
            "interrupted: to wait for it would take for ever. Nothing was stored. Let the handler set a flag or raise an exception, "
            "and use the stash where the flag is read or the exception caught."
        )


class VariableUnreadable(StashError, KeyError):
    """A variable is stored, but this program cannot unpickle it: a class of it was renamed, or a library changed."""

    def __init__(self, variable: str, reason: str) -> None:
        """Take the variable as it is written in the program, and what pickle said."""
        super().__init__(variable, reason)
        self.variable, self.reason = variable, reason

    def __str__(self) -> str:
        return (
            f"{self.variable} is stored, but this program cannot read it: {self.reason}. Nothing was changed. "
            f"Bring back what it is made of, replace it ({self.variable} = ...), or delete it (del {self.variable})."
        )


class NoSession(StashError, RuntimeError):
    """Something that belongs to a browser session (or user, tab, page) was used where there is none, or it has ended."""

    def __init__(self, what: str, scope: str) -> None:
        """Take what was asked for and the scope that it needs."""
        super().__init__(what, scope)
        self.what, self.scope = what, scope

    def __str__(self) -> str:
        if self.scope == "user":
            return f"{self.what} needs a user, and there is none here: Stash(user=...) named nobody, or this is not a request."
        return (
            f"{self.what} needs a {self.scope}, and there is none here. Inside a callback: the browser sent no valid "
            f"cookie of this app (cookies refused, logged out, or the page is older than the server's secret): reload the page. "
            f"Outside a request (start-up, job, static layout): say share=True, or use stash.app."
        )


class RefInvalid(StashError, PermissionError):
    """A browser sent a reference that this session may not open."""

    def __init__(self, reason: str, prop: str) -> None:
        """Take one of "forged", "cut", "foreign"; and the component property it came in."""
        super().__init__(reason, prop)
        self.reason, self.prop = reason, prop

    def __str__(self) -> str:
        return (
            f"the reference in {self.prop!r} was refused: {self.reason}. The callback did not run. "
            "Expected after a deploy with a new secret; set DASH_STASH_SECRET to keep references valid."
        )


class RefExpired(StashError, LookupError):
    """A reference's value is gone and there is no way to compute it again."""

    def __init__(self, what: str, reason: str) -> None:
        """Take what the reference stood for and why it cannot be had again."""
        super().__init__(what, reason)
        self.what, self.reason = what, reason

    def __str__(self) -> str:
        return f"{self.what} is gone: {self.reason}. Reload the page to start afresh."


class PartMissing(StashError, KeyError):
    """A reference names a part that the stored value does not have."""

    def __init__(self, part: str | int, known: str) -> None:
        """Take the missing part and the parts that there are."""
        super().__init__(part, known)
        self.part, self.known = part, known

    def __str__(self) -> str:
        return f"the stored value has no part {self.part!r}; it has {self.known}"


class SharedStateChanged(StashError, RuntimeError):
    """A variable outside of a callback's scope changed while the callback ran, and the guard is to raise."""

    def __init__(self, report: str) -> None:
        """Take what the guard says: which callback, which variables, what changed, and what to do instead."""
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return self.report
