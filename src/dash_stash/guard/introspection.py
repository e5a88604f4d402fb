"""Whose code something is: the app's, or a library's."""

from __future__ import annotations

from types import CodeType

from dash_stash.origin import is_app_file, is_app_module


def is_app_code(code: CodeType) -> bool:
    """Tell whether the code is the app's."""
    return is_app_file(code.co_filename)


def is_app_class(cls: type) -> bool:
    """Tell whether the class is written in the app."""
    return is_app_module(cls.__module__)


def own_dict(value: object) -> dict[str, object]:
    """Return the attributes that an object keeps in a dict, without running its own way to look them up."""
    try:
        found: dict[str, object] = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found


def is_proxy_class(cls: type) -> bool:
    """Tell whether objects of the class say that they are of another one: proxies and mocks run code whatever they are asked."""
    return any("__class__" in vars(base) for base in cls.__mro__ if base is not object)
