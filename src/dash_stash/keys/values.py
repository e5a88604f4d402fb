"""The key of a value, and the writer of each type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash_stash.keys import arrays, arrow, objects, pandas, plain, polars
from dash_stash.keys.sink import NoKey, Sink, Writer, full_name, public_name


def of_value(value: object, path: str, code_of: Callable[[type], bytes] | None = None) -> bytes:
    """Return the key of one value; *path* names it in errors.

    An object of an app's own class has the class's name in its key, and its code by *code_of*.

    Raises:
        NoKey: It is, or holds, something without a value of its own (a connection, a generator, a
            plain object).
    """
    sink = _ValueSink(code_of)
    try:
        sink.write(value, path)
    except RecursionError:
        raise NoKey(path, "container that holds itself, or nests too deeply") from None
    return sink.key()


class _ValueSink(Sink):
    """Knows the writers of Python's types, of libraries' types, and of a user's own classes."""

    __slots__ = ()

    writers = plain.WRITERS

    def writer_of(self, value: object, path: str) -> Writer:
        kind = type(value)
        writer = _BY_NAME.get(public_name(kind)) or objects.writer_of(value) or _of_family(kind)
        if writer is None:
            raise NoKey(path, full_name(kind))
        return writer


def _of_family(kind: type) -> Writer | None:
    """Return the writer of a library's types with a common base.

    A user's type with that base may hold more than its writer knows of.
    """
    library = public_name(kind).partition(".")[0]
    bases = map(public_name, kind.__mro__)
    return next(
        (_FAMILIES[name] for name in bases if name in _FAMILIES and name.startswith(f"{library}.")),
        None,
    )


def _write_ref(value: Any, sink: Sink, path: str) -> None:  # noqa: ARG001 (a writer's signature)
    """Write the key of what a reference points at; who may open it does not count."""
    sink.emit(b"ref:" + value.target)


_BY_NAME: dict[str, Writer] = {
    "dash_stash.Ref": _write_ref,
    "dateutil.tzfile": plain.write_zone,
    "dateutil.tzoffset": plain.write_zone,
    "dateutil.tzutc": plain.write_zone,
    "numpy.MaskedArray": arrays.write_masked,
    "numpy.busdaycalendar": plain.write_parts("busdaycalendar", "weekmask", "holidays"),
    "numpy.ndarray": arrays.write_array,
    "pandas.DataFrame": pandas.write_frame,
    "pandas.NAType": plain.text("NA", lambda value: b""),
    "pandas.NaTType": plain.text("NaT", lambda value: b""),
    "pandas.Series": pandas.write_series,
    "pandas.Timedelta": pandas.write_timedelta,
    "pandas.Timestamp": pandas.write_timestamp,
    "polars.DataFrame": polars.write_frame,
    "polars.Series": polars.write_series,
    "pyarrow.ChunkedArray": arrow.write_array_like,
    "pyarrow.Table": arrow.write_table,
    "zoneinfo.ZoneInfo": plain.write_zone,
}
"""By name: a type is known without importing its library."""

_FAMILIES: dict[str, Writer] = {
    "numpy.generic": arrays.write_scalar,
    "pandas.Index": pandas.write_index,
    "pyarrow.Array": arrow.write_array_like,
    "pytz.BaseTzInfo": plain.write_zone,
}
"""By the name of a base: the types of that library differ by a dtype or a name only."""
