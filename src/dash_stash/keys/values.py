"""Which writer a value has, by its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash_stash.keys import arrays, arrow, objects, pandas, plain, polars
from dash_stash.keys.sink import NoKey, Sink, Writer, full_name, public_name


def of_value(value: object, path: str, code_of: Callable[[type], bytes] | None = None) -> bytes:
    """Return the key of one value; *path* is what errors call it.

    Objects of an app's own classes go by the names of these, and with *code_of* by their code.

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
    """Knows the types of the language, of libraries, and a user's own classes."""

    __slots__ = ()

    writers = plain.WRITERS

    def writer_of(self, value: object, path: str) -> Writer:
        kind = type(value)
        writer = _BY_NAME.get(public_name(kind)) or objects.writer_of(value) or _of_family(kind)
        if writer is None:
            raise NoKey(path, full_name(kind))
        return writer


def _of_family(kind: type) -> Writer | None:
    """The writer of a library's types that have a base in common.

    A user's may carry what is not seen here.
    """
    library = public_name(kind).partition(".")[0]
    bases = map(public_name, kind.__mro__)
    return next(
        (_FAMILIES[name] for name in bases if name in _FAMILIES and name.startswith(f"{library}.")),
        None,
    )


def _write_ref(value: Any, sink: Sink, path: str) -> None:  # noqa: ARG001 (one signature for all writers)
    """A reference: what it points at, not who may open it."""
    sink.emit(b"ref:" + value.target)


# By name, so that a type can be known without importing its library.
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

# Of these the types of their library say all there is: by their dtype, by a name.
_FAMILIES: dict[str, Writer] = {
    "numpy.generic": arrays.write_scalar,
    "pandas.Index": pandas.write_index,
    "pyarrow.Array": arrow.write_array_like,
    "pytz.BaseTzInfo": plain.write_zone,
}
