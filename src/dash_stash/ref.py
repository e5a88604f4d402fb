"""References: short signed texts that represent stored values."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, SupportsIndex, TypeVar, get_args, overload

from dash_stash import keys, seal
from dash_stash.clock import Clock, Duration, seconds
from dash_stash.codec import PartName, Unreadable
from dash_stash.errors import ConfigError, PartMissing, RefExpired, RefInvalid
from dash_stash.owner import APP, Scope
from dash_stash.visitor import CurrentVisitor

T_co = TypeVar("T_co", covariant=True)

PREFIX = "stash:"

# Text in this form is a reference, or an attempt to forge one. Somebody typed any other text with
# the prefix.
_FORM = re.compile(PREFIX + r"[A-Za-z0-9_-]{16,}")
_LONGEST = 4096

_MEMO, _SHARED, _LASTING, _USERS = 1, 2, 4, 64
_SCOPES: tuple[Scope, ...] = get_args(Scope)
_SCOPE_AT, _SCOPE_BITS = 3, 7  # the bits of the flags that number the value's scope
_SEAL_SIZE = 16
_FIXED = 1 + keys.KEY_SIZE + keys.KEY_SIZE  # flags, the value's key, who may open it
_UNTIL = struct.Struct(">I")  # when a reference with a lifetime expires, in seconds since the epoch


@dataclass(frozen=True, slots=True)
class Target:
    """What a reference points at."""

    key: bytes
    scope: Scope
    """The scope of the value's owner."""

    is_memo: bool
    path: tuple[PartName, ...] = ()
    until: float = float("inf")
    """When the reference, not the value, expires."""

    is_users: bool = False
    """Whether the value was made from a user's value: then it opens for that user only."""

    bound: bytes | None = None
    """A digest of who may open the reference: the session that it was minted for, and the owner.

    None if everybody may open it.
    """


class Ref(str, Generic[T_co]):  # noqa: SLOT000 (a str subclass that is generic has a __dict__ anyway)
    """A reference to a stored value. It is text, so a callback can return it to the browser.

    A callback that receives it gets the value instead, unless its parameter is annotated `Ref`.
    `ref["name"]` (of a stored dict) and `ref[0]` (of a stored list) are references to one part:
    opening one loads only that part.
    """

    _references: References
    _target: Target

    @classmethod
    def _of(cls, text: str, references: References, target: Target) -> Ref[Any]:
        ref: Ref[Any] = cls(text)
        ref._references, ref._target = references, target
        return ref

    def get(self) -> T_co:
        """Load the value, as a private copy for the caller.

        Raises:
            RefExpired: The value is gone and cannot be computed again.
            PartMissing: The value has no part with this name.
            RefInvalid: The reference was made with `Ref(text)`, or another user has logged in since
                it was received.
        """
        self._check()
        self._references.check(self._target, "the reference of a Ref.get()")
        try:
            value: T_co = self._references.load(self._target)
        except (RefExpired, PartMissing) as error:
            # An unreadable value is not dead: during a deploy, workers with other code can read it.
            if not isinstance(error.__cause__, Unreadable):
                error.references = (*error.references, str(self))
            raise
        return value

    def delete(self) -> None:
        """Delete the value for everybody who has a reference to it.

        References to a value from `stash.put` raise `RefExpired` from now on. A reference to a memo
        function's value computes the value again when it is opened.

        Raises:
            ConfigError: This is a reference to a part, and a part cannot be deleted alone.
            RefInvalid: The reference was made with `Ref(text)`, or another user has logged in since
                it was received.
        """
        self._check()
        if self._target.path:
            raise ConfigError(
                "a part of a value cannot be deleted alone: "
                "delete the reference that it was taken from"
            )
        self._references.check(self._target, "the reference of a Ref.delete()")
        self._references.delete(self._target.key)

    def _check(self) -> None:
        if hasattr(self, "_target"):
            return
        if not hasattr(self, "_references"):
            raise RefInvalid("made from text", "a Ref")
        # It was inside a stored value, and its reader may not be the one it was minted for.
        self._target = self._references.open(str(self), "a stored value")._target

    @overload  # type: ignore[override]
    def __getitem__(self, part: PartName) -> Ref[Any]: ...
    @overload
    def __getitem__(self, part: slice) -> str: ...
    def __getitem__(self, part: PartName | slice | SupportsIndex) -> Ref[Any] | str:
        """Return a reference to one part of the value; whoever may open this one may open it."""
        if isinstance(part, str | int) and hasattr(self, "_references"):
            self._check()
            return self._references.sealed(
                dataclasses.replace(self._target, path=(*self._target.path, part))
            )
        return super().__getitem__(part)  # type: ignore[index]

    def lasting(self, ttl: Duration) -> Ref[T_co]:
        """Return a reference to the same value that expires after *ttl*.

        Then it raises `RefExpired`; the value itself stays stored.

        Args:
            ttl: Seconds, a timedelta, or "90s", "15m", "1h", "7d".
        """
        self._check()
        until = min(self._target.until, self._references.clock() + seconds(ttl, "ttl"))
        return self._references.sealed(dataclasses.replace(self._target, until=until))

    if not TYPE_CHECKING:  # else any name would pass for an attribute's

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            raise AttributeError(
                f"a reference has no attribute {name!r}; if its value has, write ref.get().{name}"
            )

    @property
    def is_shared(self) -> bool:
        """Whether the reference opens in every session."""
        return bool(_decode(self)[0] & _SHARED)

    @property
    def target(self) -> bytes:
        """A key for the value that the reference points at: its key as a memo's argument.

        It is the same for every reference to the value, whoever may open it.

        Raises:
            RefInvalid: The reference does not open here, so it cannot be an argument.
        """
        self._check()
        self._references.check(self._target, "a reference given as an argument")
        return keys.digest(self._target.key, json.dumps(self._target.path).encode())

    def __copy__(self) -> Ref[T_co]:
        """Return itself: a reference never changes."""
        return self

    def __deepcopy__(self, memo: object) -> Ref[T_co]:
        """Return itself: a reference never changes."""
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Pickle as text: the process that loads it checks again who may open it.

        Inside a stored value it stays a reference.
        """
        return str, (str(self),)


class References:
    """Mints references for one deployment, and opens its own."""

    def __init__(
        self,
        key: bytes,
        visitor: CurrentVisitor,
        load: Callable[[Target], Any],
        delete: Callable[[bytes], object],
        clock: Clock,
    ) -> None:
        """Take the sealing key, the current visitor, and the clock.

        *load* loads the value of a target, *delete* deletes the value of a key.
        """
        self._key, self._visitor, self.clock = key, visitor, clock
        self.load, self.delete = load, delete

    def mint(self, target: Target, *, share: bool) -> Ref[Any]:
        """Return a reference that opens for the present session and the value's owner.

        With *share* it opens for everybody.

        Raises:
            NoSession: There is no session, or no such owner, and *share* is false.
            ScopeTooWide: A memo function with a wider scope is running, and *share* is false.
        """
        if share:
            return self.sealed(target)
        self._visitor.owner("session", "a reference")
        bound = self._present(target)
        if bound is None:
            raise self._visitor.missing("a reference", target.scope)
        return self.sealed(dataclasses.replace(target, bound=bound))

    def _present(self, target: Target) -> bytes | None:
        """Return `Target.bound` of a reference that opens here, or None if nobody is proven."""
        proven = self._visitor.proven
        owners = [proven("session"), APP if target.scope == "app" else proven(target.scope)]
        if target.is_users:
            owners.append(proven("user"))
        found = [owner.encode() for owner in owners if owner is not None]
        return keys.digest(*found) if len(found) == len(owners) else None

    def sealed(self, target: Target) -> Ref[Any]:
        """Return a reference to *target*; `target.bound` says who may open it.

        Raises:
            ConfigError: The names of the parts on the way to it are too long.
        """
        is_lasting = target.until != float("inf")
        flags = (
            (_MEMO if target.is_memo else 0)
            | (_SHARED if target.bound is None else 0)
            | (_LASTING if is_lasting else 0)
        )
        flags |= _SCOPES.index(target.scope) << _SCOPE_AT | (_USERS if target.is_users else 0)
        until = _UNTIL.pack(min(int(target.until), 2**32 - 1)) if is_lasting else b""
        path = json.dumps(target.path, separators=(",", ":")).encode() if target.path else b""
        body = bytes([flags]) + target.key + (target.bound or bytes(keys.KEY_SIZE)) + until + path
        text = (
            base64.urlsafe_b64encode(body + seal.make(self._key, body, size=_SEAL_SIZE))
            .rstrip(b"=")
            .decode()
        )
        if len(text) + len(PREFIX) > _LONGEST:
            raise ConfigError(
                f"a reference to a part under {len(path)} bytes of names would be too long: "
                "use shorter names"
            )
        return Ref._of(PREFIX + text, self, target)

    def check(self, target: Target, prop: str) -> None:
        """Check an opened reference again: somebody may have logged in or out since then.

        Memo functions may open their arguments for every caller. Threads that a callback started
        have no visitor, and may open what the callback opened.

        Raises:
            RefInvalid: The reference does not open any more; *prop* says where it was used.
        """
        if target.bound is None or self._visitor.current is None or self._visitor.is_computing:
            return
        if target.bound != self._present(target):
            raise RefInvalid("foreign", prop)

    def open(self, text: str, prop: str) -> Ref[Any]:
        """Turn *text* into a reference, if this session may open it.

        *prop* says where the text was received.

        Raises:
            RefInvalid: The text is not a reference, or this session may not open it.
            RefExpired: The reference was made for a limited time, which has passed.
            ScopeTooWide: A memo function is running, and others who get its value may not open
                the reference.
        """
        target = self._target_of(text, prop)
        if target.bound is not None and self._visitor.is_computing:
            users: Scope = "user" if target.is_users else "session"
            for scope in ("session", target.scope, users):
                self._visitor.check(scope, f"what is behind a reference ({prop})")
        if target.bound is not None and target.bound != self._present(target):
            raise RefInvalid("foreign", prop)
        if self.clock() >= target.until:
            raise RefExpired(f"the reference in {prop!r}", "it was made for a limited time only")
        return Ref._of(text, self, target)

    def _target_of(self, text: str, prop: str) -> Target:
        if not is_reference(text):
            raise RefInvalid("no reference", prop)
        raw = _decode(text)
        if len(raw) < _FIXED + _SEAL_SIZE:
            raise RefInvalid("cut", prop)
        body, sealed = raw[:-_SEAL_SIZE], raw[-_SEAL_SIZE:]
        if not seal.matches(sealed, self._key, body):
            raise RefInvalid("forged", prop)
        flags, key = body[0], body[1 : 1 + keys.KEY_SIZE]
        bound = None if flags & _SHARED else body[1 + keys.KEY_SIZE : _FIXED]
        until, rest = float("inf"), body[_FIXED:]
        if flags & _LASTING:
            until, rest = float(_UNTIL.unpack_from(rest)[0]), rest[_UNTIL.size :]
        path = tuple(json.loads(rest)) if rest else ()
        scope = _SCOPES[flags >> _SCOPE_AT & _SCOPE_BITS]
        return Target(key, scope, bool(flags & _MEMO), path, until, bool(flags & _USERS), bound)

    def kept(self, text: str) -> Ref[Any]:
        """Return a reference that was stored inside a value.

        Opening it checks whether this session may.
        """
        ref: Ref[Any] = Ref(text)
        ref._references = self
        return ref

    def revived(self, text: str) -> Ref[Any]:
        """Return a reference to the same value that opens for the present visitor.

        For recipes only: whoever may open a value's reference may open what the value is made from.
        """
        target = dataclasses.replace(self._target_of(text, "a recipe"), until=float("inf"))
        wider = dataclasses.replace(target, scope="app", is_users=False)
        for each in (target, wider) if target.bound is not None else ():
            bound = self._present(each)
            if bound is not None:
                return self.sealed(dataclasses.replace(each, bound=bound))
        # It is for everybody, or there is no visitor: then whoever could open it still can.
        return Ref._of(text, self, target)


def target_of(key: bytes, scope: Scope, made_of: object) -> Target:
    """Return the target of a reference to a memo function's value.

    It opens only for visitors who may open everything that the value is made from.
    """
    targets = [ref._target for ref in _within(made_of)]
    scopes: list[Scope] = [scope, *(target.scope for target in targets)]
    narrowest = max(scopes, key=_BY_WIDTH.index)
    is_users = "user" in scopes or any(target.is_users for target in targets)
    return Target(key, narrowest, is_memo=True, is_users=is_users and narrowest != "user")


# Every reference is bound to a session anyway: a value of a session and a user only needs "user".
_BY_WIDTH: tuple[Scope, ...] = ("app", "session", "user", "tab", "page")


def _within(value: object) -> Iterator[Ref[Any]]:
    """Return the references in an argument."""
    if isinstance(value, Ref):
        # If nobody has opened it, it is in an argument that the function ignores.
        if hasattr(value, "_target"):
            yield value
    elif isinstance(value, Mapping):
        yield from _within([*value.keys(), *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for child in value:
            yield from _within(child)


def is_reference(value: object) -> bool:
    """Return whether *value* looks like a reference; only `References.open` checks that it is."""
    return (
        isinstance(value, str)
        and value.startswith(PREFIX)
        and len(value) <= _LONGEST
        and _FORM.fullmatch(value) is not None
    )


def _decode(text: str) -> bytes:
    encoded = str.__getitem__(text, slice(len(PREFIX), None))
    try:
        raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except binascii.Error:
        return b""
    # The last letter may have unused bits: only one spelling of them is accepted.
    is_only_spelling = base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == encoded
    return raw if is_only_spelling else b"?" * (_FIXED + _SEAL_SIZE)
