"""What a function closes over: two different things are never taken for one."""

from __future__ import annotations

import abc
import collections
import dataclasses
import enum
import functools
import operator
import re
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any, Generic, NamedTuple, TypeVar

import pytest

from dash_stash import Stash, identity, implementation, keys
from unit.visiting import visit

T = TypeVar("T")


def key_of(closure: Callable[..., Any]) -> bytes:
    """Return the key of a memo function."""
    assert isinstance(closure, FunctionType)
    captured = [
        identity.of_captured(value, name) for name, value in identity.captured(closure).items()
    ]
    return keys.digest(
        identity.of_function(closure), implementation.of_function(closure), *captured
    )


def over(value: object) -> Callable[[], object]:
    return lambda: value


def base(n: int) -> int:
    return n


class Scale:
    """A callable object that wraps a function, and says so."""

    def __init__(self, function: Callable[[int], int], factor: int) -> None:
        functools.update_wrapper(self, function)
        self.function, self.factor = function, factor

    def __call__(self, n: int) -> int:
        return self.function(n) * self.factor

    def method(self, n: int) -> int:
        return self(n)


class Slotted:
    __slots__ = ("factor",)

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def __call__(self) -> int:
        return self.factor


class Table(dict[str, int]):
    """A class in Python with a base in C."""

    def __call__(self) -> int:
        return len(self)


@dataclasses.dataclass
class Step:
    factor: int
    note: int = dataclasses.field(default=0, compare=False)

    def __call__(self) -> int:
        return self.factor * self.note


def local_class(where: object) -> type:
    class Loader:
        path = where

    return Loader


def class_with_closure(where: object) -> type:
    class Loader:
        def load(self) -> object:
            return where

    return Loader


def class_with_property(where: object) -> type:
    class Loader:
        @property
        def path(self) -> object:
            return where

    return Loader


def local_subclass(where: object) -> type:
    class Loader(local_class(where)):  # type: ignore[misc]
        pass

    return Loader


def local_dataclass(default: int) -> type:
    @dataclasses.dataclass
    class Record:
        depth: int = default
        others: list[int] = dataclasses.field(default_factory=list)

    return Record


def local_tuple(default: int) -> type:
    class Record(NamedTuple):
        depth: int = default

    return Record


def local_enum(first: int) -> type:
    class Mode(enum.Enum):
        FAST = first

        @property
        def cost(self) -> int:
            return first

    return Mode


def local_abstract(where: object) -> type:
    class Loader(abc.ABC):
        path = where

        @abc.abstractmethod
        def load(self) -> None: ...

    return Loader


def adding(k: int) -> Callable[[int], int]:
    def add(n: int) -> int:
        return n + k

    return add


def with_default(k: int) -> Callable[[int], int]:
    def add(n: int = k) -> int:
        return n

    return add


def with_attribute(k: int) -> Callable[[], int]:
    def run() -> int:
        found: int = run.k  # type: ignore[attr-defined]
        return found

    run.k = k  # type: ignore[attr-defined]
    return run


def run_in(namespace: dict[str, object], source: str = "def g(): return K") -> Any:
    exec(source, namespace)
    return namespace["g"]


MAKERS: dict[str, Callable[[Any], object]] = {
    "a bound pattern": lambda k: re.compile(f"a{k}").match,
    "a pattern": lambda k: re.compile(f"a{k}"),
    "a pattern's flags": lambda k: re.compile("a", re.IGNORECASE if k == 1 else re.MULTILINE).match,
    "a bound dict": lambda k: {"x": k}.get,
    "a bound number": lambda k: (k).__add__,
    "a bound text": lambda k: f"{k}".join,
    "a local class": local_class,
    "a local class with a closure": class_with_closure,
    "a local class with a property": class_with_property,
    "a class of a local class": local_subclass,
    "a local dataclass": local_dataclass,
    "a local named tuple": local_tuple,
    "a local enum": local_enum,
    "a local abstract class": local_abstract,
    "an instance's class": lambda k: class_with_closure(k)().load,
    "a callable object": lambda k: Scale(base, k),
    "what a callable object wraps": lambda k: Scale(adding(k), 1),
    "a method of an object": lambda k: Scale(base, k).method,
    "an object with slots": Slotted,
    "a callable dataclass": lambda k: Step(1, k),
    "a partial": lambda k: functools.partial(base, k),
    "a partial's name": lambda k: functools.partial(base, **{f"n{k}": 1}),
    "a partial of a bound dict": lambda k: functools.partial({"x": k}.get, "x"),
    "a partial of an object": lambda k: functools.partial(Scale(base, k), 1),
    "a partial's function": lambda k: functools.partial(functools.partial, adding(k)),
    "a function": adding,
    "a default": with_default,
    "a function's attribute": with_attribute,
    "a lambda": lambda k: (lambda: 1) if k == 1 else (lambda: 2),
    "a cached function": lambda k: functools.lru_cache(adding(k)),
    "a class method": lambda k: dict.fromkeys if k == 1 else int.from_bytes,
    "an unbound method": lambda k: dict.get if k == 1 else dict.pop,
    "a getter": operator.itemgetter,
    "an attribute getter": lambda k: operator.attrgetter(f"a{k}"),
    "a method caller": lambda k: operator.methodcaller("x", k),
    "a method caller's keyword": lambda k: operator.methodcaller("x", k=k),
    "a builtin": lambda k: len if k == 1 else sum,
    "a library's class": lambda k: collections.OrderedDict if k == 1 else collections.Counter,
    "a static method": lambda k: staticmethod(adding(k)),
    "a namespace": lambda k: run_in({"K": k, "__name__": "__main__"}),
    "a namespace's list": lambda k: run_in({"K": [k], "__name__": "__main__"}),
    "a namespace's helper": lambda k: run_in(
        {"__name__": "made_up"}, f"def h(): return {k}\ndef g(): return h()"
    ),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_two_things_have_two_keys_and_the_same_again_has_the_same(
    make: Callable[[int], object],
) -> None:
    assert key_of(over(make(1))) != key_of(over(make(2)))
    assert key_of(over(make(1))) == key_of(over(make(1)))


REFUSED: dict[str, tuple[object, str]] = {
    "an object": (object(), "value"),
    "a bound object": (functools.partial(over, object()), "value"),
    "a class's lock": (local_class(threading.Lock()), r"value\.path"),
    "an object's lock": (Scale(base, threading.Lock()), r"value\.factor"),  # type: ignore[arg-type]
    "an object of C": (Table(), "value"),
    "an iterator": (iter([1]).__next__, "value.__self__"),
    "an open file's method": (threading.Lock().acquire, "value.__self__"),
}


@pytest.mark.parametrize(("value", "path"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_value_is_refused_by_its_name(value: object, path: str) -> None:
    with pytest.raises(keys.NoKey) as refused:
        key_of(over(value))
    assert re.search(path, refused.value.path)


def test_what_holds_itself_has_a_key() -> None:
    def ring(k: int) -> object:
        one, other = Scale(base, k), Scale(base, 1)
        one.function, other.function = other, one
        return one

    assert key_of(over(ring(1))) == key_of(over(ring(1))) != key_of(over(ring(2)))


def test_functions_that_call_each_other_have_a_key() -> None:
    def make(k: int) -> Callable[[int], bool]:
        def even(n: int) -> bool:
            return n == k or odd(n - 1)

        def odd(n: int) -> bool:
            return n != k and even(n - 1)

        return even

    assert key_of(make(0)) == key_of(make(0)) != key_of(make(1))


def test_a_function_of_a_module_goes_by_its_name_whatever_its_defaults_hold() -> None:
    assert key_of(over(with_lock)) == key_of(over(with_lock)) != key_of(over(base))


def with_lock(lock: object = threading.Lock()) -> object:
    return lock


@pytest.fixture
def namespace() -> dict[str, object]:
    return {"connection": object(), "K": [1], "__name__": "made_up"}


def test_functions_of_two_namespaces_with_what_has_no_value_are_two(
    namespace: dict[str, object],
) -> None:
    source = "def g(): return connection"
    one, two = run_in(dict(namespace), source), run_in(dict(namespace), source)
    assert implementation.of_function(one) != implementation.of_function(two)
    assert implementation.of_function(one) == implementation.of_function(one)


def test_a_namespace_is_looked_at_again(namespace: dict[str, object]) -> None:
    function = run_in(namespace, "def h(): return 1\ndef g(): return h(), K")
    seen = {implementation.of_function(function)}
    namespace["K"].append(2)  # type: ignore[attr-defined]
    seen.add(implementation.of_function(function))
    run_in(namespace, "def h(): return 2")
    seen.add(implementation.of_function(function))
    assert len(seen) == 3
    assert not implementation.is_settled(function)


def test_a_stash_and_its_variables_may_be_closed_over(stash: Stash) -> None:
    """As in an app that a function makes: what is read through them is not in the key."""
    mine, everybodys = stash.session, stash.app

    @stash.memo(scope="session")
    def greeting(text: str) -> str:
        return f"{text} {mine['name']} {everybodys.get('sign', '!')} {stash.session['name']}"

    with visit(stash):
        mine["name"] = "Anna"
        assert greeting("Hello") == "Hello Anna ! Anna"
    assert identity.of_captured(mine, "mine") != identity.of_captured(everybodys, "everybodys")


class Box(Generic[T]):
    def __init__(self, content: T) -> None:
        self.content = content

    def __call__(self) -> T:
        return self.content


def test_a_memo_function_may_take_another_or_an_object_of_a_generic_class_from_around_it(
    stash: Stash,
) -> None:
    def make(step: Box[int]) -> Any:
        @stash.memo
        def inner(n: int) -> int:
            return n + step()

        return stash.memo(lambda n: inner(n) * 10)

    assert [make(Box(step))(1) for step in (1, 2)] == [20, 30]
