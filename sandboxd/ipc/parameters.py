"""Reads the params of a JSON-RPC request strictly: a value of the wrong type is refused, with its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class InvalidParams(Exception):
    """A request's params lack a field or have one of the wrong type."""


def flag(params: Mapping[str, Any], name: str) -> bool:
    """The boolean `name` in a request's params; False where it is missing.

    :raises InvalidParams: it is no bool
    """
    value = params.get(name, False)
    if not isinstance(value, bool):
        raise InvalidParams(f"`{name}` is neither true nor false")
    return value


def number(params: Mapping[str, Any], name: str) -> int:
    """The integer `name` in a request's params.

    :raises InvalidParams: it is missing or no int
    """
    value = params.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidParams(f"`{name}` is not a whole number")
    return value


def text(params: Mapping[str, Any], name: str) -> str:
    """The string `name` in a request's params.

    :raises InvalidParams: it is missing or no string
    """
    value = params.get(name)
    if not isinstance(value, str):
        raise InvalidParams(f"`{name}` is not a string")
    return value


def texts(params: Mapping[str, Any], name: str) -> list[str]:
    """The list of strings `name` in a request's params.

    :raises InvalidParams: it is missing or no list of strings
    """
    value = params.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidParams(f"`{name}` is not a list of strings")
    return value


def values(params: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object `name` in a request's params.

    :raises InvalidParams: it is missing or no object
    """
    value = params.get(name)
    if not isinstance(value, dict):
        raise InvalidParams(f"`{name}` is not an object")
    return value


def variables(params: Mapping[str, Any], name: str) -> dict[str, str]:
    """The environment variables in the object `name` of a request's params, by variable name.

    :raises InvalidParams: it is missing, or has values that are no strings
    """
    value = params.get(name)
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise InvalidParams(f"`{name}` is not made of variables")
    return value
