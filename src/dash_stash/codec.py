"""Values to bytes and back: pickle protocol 5, with the big buffers beside the pickle instead of inside.

What is code (the pickle, here called header) is small and sealed; what is big (NumPy blocks, Arrow buffers) is data, and is
mapped on the way back instead of copied.

Source: PEP 574, Pickle protocol 5 with out-of-band data.
"""

from __future__ import annotations

import collections
import functools
import hashlib
import io
import os
import pickle
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType
from typing import Any, Literal, Protocol

from dash_stash import identity, modules, storable
from dash_stash.errors import PartMissing, Unstorable
from dash_stash.keys import public_name
from dash_stash.reducers import REDUCERS, reduce_subclass

# Below this many bytes a buffer stays in the pickle: aligning and tracking it would cost more than
# copying it.
_SMALLEST_BUFFER = 2048

# A dict or list of plain Python data this small is loaded whole as fast as a part of it.
_SMALLEST_SPLIT = 64 * 1024
_MOST_PARTS = 1024

_SHOWN = 10

PartName = str | int

Shape = Literal["dict", "list"] | None
"""What the parts of a value are put together to; None for a value in one piece."""


class Unreadable(Exception):
    """A stored value cannot be unpickled by this program: a class of it was renamed, or a library changed."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One pickle and the buffers that it refers to, in order."""

    header: bytes | memoryview
    buffers: Sequence[memoryview | bytearray]

    digest: str = ""
    """Of the buffers, if some library may trust what is in them without a look (see `structure`).

    Else empty.
    """


@dataclass(frozen=True, slots=True)
class Encoded:
    """A value as bytes: one segment, or one per part of a dict (`names` are its keys) or list (`names` count up)."""

    shape: Shape
    names: tuple[PartName, ...]
    segments: tuple[Segment, ...]

    copier: list[Callable[[], Any]] = field(default_factory=list, compare=False, repr=False)
    """What makes the value without unpickling again, once `decode` has found that there is such a thing."""


class References(Protocol):
    """Makes references of their texts again (`ref.References`)."""

    def kept(self, text: str) -> str:
        """Return the reference; whether it may be opened is asked when it is."""
        ...


def encode(value: object) -> Encoded:
    """Return *value* as bytes.

    Its big buffers are not copied, so it must not change until they are written.

    A dict with text keys, or a list, that holds something big is split into parts that can be
    loaded one by one.

    Raises:
        Unstorable: Something in *value* cannot be pickled, would not come back, or only says where
            its data lies.
    """
    try:
        whole = _dump_tried(value)
        parts = _split(value, whole) if isinstance(value, dict | list) else None
        return Encoded(None, (), (whole,)) if parts is None else parts
    except Exception as error:
        if not _fails(_dump_tried, value):
            raise  # by a signal handler that ran meanwhile
        raise _unstorable(value, "the value", error) from error


def decode(
    encoded: Encoded, part: PartName | None = None, *, references: References | None = None
) -> Any:
    """Return the value, or only the named part of it.

    References in it are made by *references*, or become text.

    Raises:
        PartMissing: There is no such part.
        Unreadable: This program no longer has what the value is made of.
    """
    if encoded.shape is None:
        if encoded.copier:
            value = encoded.copier[0]()
        else:
            value = _load(encoded.segments[0], references)
            if (
                type(value) in _FLAT
                and len(value) <= _MOST_ATOMS
                and all(type(child) in _ATOMS for child in _atoms(value))
            ):
                encoded.copier.append(value.copy().copy)
        return value if part is None else pick(value, part)
    if part is None:
        parts = [_load(segment, references) for segment in encoded.segments]
        return dict(zip(encoded.names, parts, strict=True)) if encoded.shape == "dict" else parts
    if part not in encoded.names:
        raise _missing(part, encoded.names)
    return _load(encoded.segments[encoded.names.index(part)], references)


def own(encoded: Encoded) -> Encoded:
    """Return the same in memory of its own: what `encode` returns shares the value's buffers."""
    segments = (
        Segment(segment.header, [bytearray(buffer) for buffer in segment.buffers])
        for segment in encoded.segments
    )
    return Encoded(encoded.shape, encoded.names, tuple(segments))


def _atoms(value: dict[Any, Any] | list[Any] | set[Any]) -> Iterable[Any]:
    return (*value, *value.values()) if isinstance(value, dict) else value


# A small container of values that nobody can change is copied five times as fast as it is
# unpickled, and as privately.
_FLAT = frozenset({dict, list, set})
_ATOMS = frozenset({str, int, float, bool, bytes, type(None)})
_MOST_ATOMS = 100


def pick(value: Any, part: PartName) -> Any:
    """Return the named part of a loaded dict or list.

    Raises:
        PartMissing: There is no such part.
    """
    if isinstance(value, dict) and part in value:
        return value[part]
    if isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
        return value[part]
    raise _missing(
        part,
        tuple(value)
        if isinstance(value, dict)
        else tuple(range(len(value)))
        if isinstance(value, list)
        else None,
    )


def _missing(part: PartName, names: Sequence[PartName] | None) -> PartMissing:
    if names is None:
        why = "it is neither a dict nor a list. Hand over the whole reference, and take what you need from its value"
        return PartMissing(part, f"no parts: {why}")
    shown = ", ".join(repr(name) for name in names[:_SHOWN]) or "no parts: it is empty"
    return PartMissing(part, shown + (" ..." if len(names) > _SHOWN else ""))


def _load(segment: Segment, references: References | None) -> Any:
    # Only ever called on bytes whose seal was checked: unpickling is running code.
    try:
        return _unpickler(segment, references).load()
    except Exception as error:
        if not _fails(_unpickler(segment, references).load):
            raise  # by a signal handler that ran meanwhile
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _unpickler(segment: Segment, references: References | None) -> Unpickler:
    unpickler = Unpickler(io.BytesIO(segment.header), buffers=segment.buffers)
    unpickler.references = references
    return unpickler


def _fails(call: Callable[..., Any], *arguments: Any) -> bool:
    """Whether it fails again: then it did so by itself."""
    try:
        call(*arguments)
    except Exception:  # noqa: BLE001 (pickling runs the user's own code, which may raise anything)
        return True
    return False


def _dump_tried(value: object) -> Segment:
    """Pickle a value, and see that it comes back: of classes of somebody else's, only trying tells."""
    segment, _, is_tried = _dump(value)
    if is_tried:
        return segment
    try:
        try:
            _load(
                Segment(
                    segment.header, [memoryview(buffer).toreadonly() for buffer in segment.buffers]
                ),
                None,
            )
        except Unreadable:  # perhaps because it writes to what it gets
            _load(Segment(segment.header, [bytearray(buffer) for buffer in segment.buffers]), None)
    except Unreadable as error:
        raise TypeError(f"it pickles, but does not come back ({error})") from error
    return segment


def _dump(value: object) -> tuple[Segment, dict[int, tuple[int, Any]], bool]:
    """Pickle a value.

    Return it with pickle's memo, the objects in it by their ids, and whether all of them come back
    for sure.
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
    digest = (
        digest_of(buffers) if buffers and any(map(_is_of_another_library, pickler.modules)) else ""
    )
    is_trusted = all(map(storable.is_trusted, pickler.modules))
    # Not a view of the sink: Python 3.13 complains of one that is collected together with its view.
    return Segment(memoryview(sink.getvalue()), buffers, digest), pickler.memo.copy(), is_trusted


def digest_of(buffers: Iterable[memoryview | bytearray]) -> str:
    """Return what nobody finds other buffers of the same lengths for."""
    text = hashlib.blake2b(digest_size=32)
    for buffer in buffers:
        text.update(buffer)
    return text.hexdigest()


@functools.cache
def _is_of_another_library(module: str) -> bool:
    """Whether a module is of a library that may take its arrays for structure: a sparse matrix of SciPy's, a tree of scikit-learn's."""
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return module.partition(".")[0] not in _LOOKED_THROUGH and not {
        "site-packages",
        "dist-packages",
    }.isdisjoint(file.split(os.sep))


# Their arrays are numbers, or are looked at in `structure`.
_LOOKED_THROUGH = frozenset(
    {"dash", "dash_stash", "numpy", "pandas", "plotly", "polars", "pyarrow", "xarray"}
)


def _split(value: dict[Any, Any] | list[Any], whole: Segment) -> Encoded | None:
    """Pickle each item for itself.

    None if that is not worth while, or would make two of one object.
    """
    if (not whole.buffers and len(whole.header) < _SMALLEST_SPLIT) or not 0 < len(
        value
    ) <= _MOST_PARTS:
        return None
    if type(value) is dict and all(type(name) is str for name in value):
        names: tuple[PartName, ...] = tuple(value)
        children = list(value.values())
    elif type(value) is list:
        names = tuple(range(len(value)))
        children = value
    else:
        return None
    segments, memos, seen = [], [], {id(value)}
    for child in children:
        segment, memo, _ = _dump(child)
        held = {identifier for identifier, (_, obj) in memo.items() if _is_the_users(obj)}
        if seen & held:
            return None
        seen |= held
        memos.append(memo)  # or the next one's objects might get the same ids
        segments.append(segment)
    return Encoded("dict" if isinstance(value, dict) else "list", names, tuple(segments))


def _is_the_users(obj: object) -> bool:
    """Whether it can be seen that an object is one and the same in two places: it can be changed, and is no library's inner part."""
    if isinstance(obj, list | dict | set | bytearray | collections.deque):
        return True
    if isinstance(obj, type | FunctionType | BuiltinFunctionType):
        return False
    name = public_name(type(obj))
    return name in _SEEN_TO_BE_ONE or (
        name.partition(".")[0] not in _LIBRARIES and _has_attributes(obj)
    )


def _has_attributes(obj: object) -> bool:
    return hasattr(obj, "__dict__") or any(
        vars(kind).get("__slots__") for kind in type(obj).__mro__
    )


_SEEN_TO_BE_ONE = (
    "array.array",
    "numpy.MaskedArray",
    "numpy.ndarray",
    "pandas.DataFrame",
    "pandas.Series",
)
# And those of the standard library whose slots are never assigned again.
_LIBRARIES = ("builtins", "fractions", "numpy", "pandas", "pathlib", "polars", "pyarrow", "uuid")


class Unpickler(pickle.Unpickler):
    """Finds what is imported already without asking the import system, which is half of what a small pickle takes."""

    __slots__ = ("references",)

    references: References | None

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle names."""
        try:
            found = sys.modules[module].__dict__[name]
        except KeyError:
            return super().find_class(module, name)
        return (
            self.references.kept
            if found is _kept_reference and self.references is not None
            else found
        )


class _Pickler(pickle.Pickler):
    """Lets the types pass out of band whose own pickling would copy their bytes into the pickle."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.modules: set[str] = set()
        """Where the classes and functions are defined that the value is made of, but for the simplest."""

    def reducer_override(self, obj: Any) -> Any:
        self.modules.add(str(getattr(obj, "__module__", None) or type(obj).__module__))
        storable.refuse_lazy(obj)
        if isinstance(obj, type | FunctionType):
            return _reduce_global(obj)
        name = public_name(type(obj))
        reduce = (
            _reduce_reference if name == "dash_stash.Ref" else REDUCERS.get(name)
        )  # a class of a layer above
        return reduce_subclass(obj) if reduce is None else reduce(obj)


def _reduce_global(obj: type | FunctionType) -> Any:
    """What a script defines is found by workers that import it: under its module's name, which is not `__main__` there."""
    main = (
        modules.main_name()
        if obj.__module__ == "__main__" and "<" not in obj.__qualname__
        else None
    )
    return NotImplemented if main is None else (identity.find, (main, obj.__qualname__))


def _reduce_reference(ref: str) -> Any:
    return _kept_reference, (str(ref),)


def _kept_reference(text: str) -> str:
    return text


def _unstorable(value: object, path: str, error: Exception) -> Unstorable:
    """Follow the failure down to the innermost thing that does not pickle."""
    seen: set[int] = set()
    while id(value) not in seen and not storable.is_lazy(value):
        seen.add(id(value))
        for name, child in _inside(value):
            try:
                _dump_tried(child)
            except Exception as reason:  # noqa: BLE001 (pickling runs the user's own code, which may raise anything)
                value, path, error = child, path + name, reason
                break
        else:
            break
    return Unstorable(path, f"{type(value).__module__}.{type(value).__qualname__}", str(error))


def _inside(value: object) -> list[tuple[str, object]]:
    """What *value* holds, each with the text that leads to it."""
    if isinstance(value, dict):
        return [(f"[{key!r}]", child) for key, child in value.items()]
    if isinstance(value, list | tuple):
        return [(f"[{index}]", child) for index, child in enumerate(value)]
    if isinstance(value, type) or callable(value):
        return []
    return [(f".{name}", child) for name, child in getattr(value, "__dict__", {}).items()]
