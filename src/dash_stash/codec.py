"""Values to bytes and back: pickle protocol 5, with big buffers beside the pickle, not inside.

What is code (the pickle, called the header) is small, and sealed. What is big (NumPy blocks, Arrow
buffers) is data, and is mapped on the way back instead of copied.

Source: PEP 574, Pickle protocol 5 with out-of-band data.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, Final, Literal, Protocol

from dash_stash import identity, modules, storable
from dash_stash.errors import PartMissing, Unstorable
from dash_stash.keys import public_name
from dash_stash.parts import is_seen_to_be_one, parts_of
from dash_stash.reducers import REDUCERS, reduce_subclass

_SMALLEST_BUFFER: Final = 2048
"""A smaller buffer stays in the pickle: copying it is cheaper than aligning and tracking it."""

_SMALLEST_SPLIT: Final = 64 * 1024
"""A smaller dict or list of plain data loads as fast as one part of it would."""

_FLAT: Final = frozenset({dict, list, set})
_ATOMS: Final = frozenset({str, int, float, bool, bytes, type(None)})
_MOST_ATOMS: Final = 100
"""A small flat container of atoms is copied five times as fast as it is unpickled."""

_MOST_SHOWN: Final = 10

PartName = str | int

Shape = Literal["dict", "list"] | None
"""The container of a value's parts; None for a value without parts."""


class Unreadable(Exception):
    """A stored value that this program cannot unpickle: a class or a library has changed."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One pickle and the buffers that it refers to, in order."""

    header: bytes | memoryview
    buffers: Sequence[memoryview | bytearray]

    digest: str = ""
    """A digest of the buffers if a library may trust their content (see `structure`); else ""."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value as bytes: one segment, or one for each part of a dict or list.

    The names of the parts are the keys of the dict, or the positions in the list.
    """

    shape: Shape
    names: tuple[PartName, ...]
    segments: tuple[Segment, ...]

    copier: list[Callable[[], Any]] = field(default_factory=list, compare=False, repr=False)
    """Makes the value without unpickling, if `decode` has found that this is possible."""


class ReferenceMaker(Protocol):
    """Makes references from their texts (`ref.References`)."""

    def kept(self, text: str) -> str:
        """Return the reference; who may open it is checked when somebody opens it."""
        ...


def encode(value: object) -> Encoded:
    """Return *value* as bytes.

    Its big buffers are not copied: it must not change until they are written.

    A dict with text keys, or a list, that holds something big is split into parts that can be
    loaded one by one.

    Raises:
        Unstorable: Something in *value* cannot be pickled, cannot be unpickled, or only says where
            its data lies.
    """
    try:
        whole = _dump_tried(value)
        parts = _split(value, whole) if isinstance(value, dict | list) else None
        return Encoded(None, (), (whole,)) if parts is None else parts
    except Exception as error:
        if not _fails(_dump_tried, value):
            raise  # a signal handler that ran meanwhile raised it
        raise _unstorable(value, error) from error


def decode(
    encoded: Encoded, part: PartName | None = None, *, references: ReferenceMaker | None = None
) -> Any:
    """Return the value, or only the named part of it.

    *references* makes the references in it; without, they become text.

    Raises:
        PartMissing: There is no such part.
        Unreadable: This program cannot unpickle the value.
    """
    if encoded.shape is None:
        value = encoded.copier[0]() if encoded.copier else _load_whole(encoded, references)
        return value if part is None else pick(value, part)
    if part is None:
        parts = [_load(segment, references) for segment in encoded.segments]
        return dict(zip(encoded.names, parts, strict=True)) if encoded.shape == "dict" else parts
    if part not in encoded.names:
        raise _missing(part, encoded.names)
    return _load(encoded.segments[encoded.names.index(part)], references)


def _load_whole(encoded: Encoded, references: ReferenceMaker | None) -> Any:
    value = _load(encoded.segments[0], references)
    if (
        type(value) in _FLAT
        and len(value) <= _MOST_ATOMS
        and all(type(child) in _ATOMS for child in _atoms(value))
    ):
        encoded.copier.append(value.copy().copy)
    return value


def _atoms(value: dict[Any, Any] | list[Any] | set[Any]) -> Iterable[Any]:
    return (*value, *value.values()) if isinstance(value, dict) else value


def own(encoded: Encoded) -> Encoded:
    """Return a copy with its own memory: the result of `encode` shares the value's buffers."""
    segments = (
        Segment(segment.header, [bytearray(buffer) for buffer in segment.buffers])
        for segment in encoded.segments
    )
    return Encoded(encoded.shape, encoded.names, tuple(segments))


def pick(value: Any, part: PartName) -> Any:
    """Return the named part of a loaded dict or list.

    Raises:
        PartMissing: There is no such part.
    """
    if isinstance(value, dict) and part in value:
        return value[part]
    if isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
        return value[part]
    if isinstance(value, dict | list):
        raise _missing(part, tuple(value) if isinstance(value, dict) else range(len(value)))
    why = "it is neither a dict nor a list. Pass the whole reference, and use a part of its value"
    raise PartMissing(part, f"no parts: {why}")


def _missing(part: PartName, names: Sequence[PartName]) -> PartMissing:
    shown = ", ".join(repr(name) for name in names[:_MOST_SHOWN]) or "no parts: it is empty"
    return PartMissing(part, shown + (" ..." if len(names) > _MOST_SHOWN else ""))


def _load(segment: Segment, references: ReferenceMaker | None) -> Any:
    # Only called on bytes whose seal was checked: to unpickle is to run code.
    try:
        return _unpickler(segment, references).load()
    except Exception as error:
        if not _fails(_unpickler(segment, references).load):
            raise  # a signal handler that ran meanwhile raised it
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _unpickler(segment: Segment, references: ReferenceMaker | None) -> Unpickler:
    unpickler = Unpickler(io.BytesIO(segment.header), buffers=segment.buffers)
    unpickler.references = references
    return unpickler


def _fails(call: Callable[..., Any], *arguments: Any) -> bool:
    """Return whether a call that failed fails again: then the cause is not from outside."""
    try:
        call(*arguments)
    except Exception:  # noqa: BLE001 (pickling runs the user's own code)
        return True
    return False


def _dump_tried(value: object) -> Segment:
    """Pickle a value; if it has classes that may not unpickle, try to unpickle it, too."""
    segment, _, is_trusted = _dump(value)
    if is_trusted:
        return segment
    read_only = [memoryview(buffer).toreadonly() for buffer in segment.buffers]
    try:
        try:
            _load(Segment(segment.header, read_only), None)
        except Unreadable:  # perhaps because it writes to its buffers
            _load(Segment(segment.header, [bytearray(buffer) for buffer in segment.buffers]), None)
    except Unreadable as error:
        raise TypeError(f"it can be pickled, but not unpickled ({error})") from error
    return segment


def _dump(value: object) -> tuple[Segment, dict[int, tuple[int, Any]], bool]:
    """Pickle a value.

    Return it with pickle's memo, which has the objects in it by their ids, and whether all of them
    are known to be unpickled as they were.
    """
    buffers: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < _SMALLEST_BUFFER:
            return True
        buffers.append(raw)
        return False

    sink = io.BytesIO()
    pickler = _Pickler(sink, protocol=5, buffer_callback=keep)
    pickler.dump(value)
    needs_digest = buffers and any(map(storable.may_trust_arrays, pickler.modules))
    digest = digest_of(buffers) if needs_digest else ""
    is_trusted = all(map(storable.is_trusted, pickler.modules))
    # Not a view of the sink: Python 3.13 complains of one that is collected together with its view.
    return Segment(memoryview(sink.getvalue()), buffers, digest), pickler.memo.copy(), is_trusted


def digest_of(buffers: Iterable[memoryview | bytearray]) -> str:
    """Return a digest: nobody can find other buffers with the same lengths and digest."""
    text = hashlib.blake2b(digest_size=32)
    for buffer in buffers:
        text.update(buffer)
    return text.hexdigest()


def _split(value: dict[Any, Any] | list[Any], whole: Segment) -> Encoded | None:
    """Pickle each part alone; None if it is not worth it, or parts share an object."""
    found = parts_of(value) if whole.buffers or len(whole.header) >= _SMALLEST_SPLIT else None
    if found is None:
        return None
    names, children = found
    segments, memos, seen = [], [], {id(value)}
    for child in children:
        segment, memo, _ = _dump(child)
        held = {identifier for identifier, (_, obj) in memo.items() if is_seen_to_be_one(obj)}
        if seen & held:
            return None
        seen |= held
        memos.append(memo)  # or the next one's objects might get the same ids
        segments.append(segment)
    return Encoded("dict" if isinstance(value, dict) else "list", names, tuple(segments))


class Unpickler(pickle.Unpickler):
    """Looks in `sys.modules` first, which halves the time for a small pickle."""

    __slots__ = ("references",)

    references: ReferenceMaker | None

    def find_class(self, module: str, name: str) -> Any:
        """Return the class or function that a pickle names."""
        try:
            found = sys.modules[module].__dict__[name]
        except KeyError:
            return super().find_class(module, name)
        is_reference = found is _kept_reference and self.references is not None
        return self.references.kept if is_reference else found  # type: ignore[union-attr]


class _Pickler(pickle.Pickler):
    """Keeps bytes out of the pickle that some types would copy into it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.modules: set[str] = set()
        """The modules of the classes and functions in the value, except the simplest."""

    def reducer_override(self, obj: Any) -> Any:
        self.modules.add(str(getattr(obj, "__module__", None) or type(obj).__module__))
        storable.refuse_lazy(obj)
        if isinstance(obj, type | FunctionType):
            return _reduce_global(obj)
        name = public_name(type(obj))
        if name == "dash_stash.Ref":  # by name: it is a class of a layer above
            return _kept_reference, (str(obj),)
        reduce = REDUCERS.get(name)
        return reduce_subclass(obj) if reduce is None else reduce(obj)


def _reduce_global(obj: type | FunctionType) -> Any:
    """Name a script's classes by the script's module name, so that other workers find them."""
    is_of_script = obj.__module__ == "__main__" and "<" not in obj.__qualname__
    main = modules.main_name() if is_of_script else None
    return NotImplemented if main is None else (identity.find, (main, obj.__qualname__))


def _kept_reference(text: str) -> str:
    return text


def _unstorable(value: object, error: Exception) -> Unstorable:
    """Follow the failure down to the innermost object that cannot be pickled."""
    path = "the value"
    seen: set[int] = set()
    while id(value) not in seen and not storable.is_lazy(value):
        seen.add(id(value))
        for name, child in _inside(value):
            try:
                _dump_tried(child)
            except Exception as reason:  # noqa: BLE001 (of the user's own code)
                value, path, error = child, path + name, reason
                break
        else:
            break
    return Unstorable(path, f"{type(value).__module__}.{type(value).__qualname__}", str(error))


def _inside(value: object) -> list[tuple[str, object]]:
    """Return the objects inside *value*, each with its text for the path."""
    if isinstance(value, dict):
        return [(f"[{key!r}]", child) for key, child in value.items()]
    if isinstance(value, list | tuple):
        return [(f"[{index}]", child) for index, child in enumerate(value)]
    if isinstance(value, type) or callable(value):
        return []
    return [(f".{name}", child) for name, child in getattr(value, "__dict__", {}).items()]
