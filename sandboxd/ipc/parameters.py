"""Parameters of a request, read strictly: what is not of its kind is refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class InvalidParams(Exception):
    """A request's params lack a field or hold a wrong type."""


def flag(params: Mapping[str, Any], name: str) -> bool:
    """The switch `name` of a request's params, off where it is missing.

    :raises InvalidParams: it is something else
    """
    value = params.get(name, False)
    if not isinstance(value, bool):
        raise InvalidParams(f"`{name}` is neither true nor false")
    return value


def number(params: Mapping[str, Any], name: str) -> int:
    """The whole number `name` of a request's params.

    :raises InvalidParams: it is missing or something else
    """
    value = params.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidParams(f"`{name}` is not a whole number")
    return value


def text(params: Mapping[str, Any], name: str) -> str:
    """The string `name` of a request's params.

    :raises InvalidParams: it is missing or something else
    """
    value = params.get(name)
    if not isinstance(value, str):
        raise InvalidParams(f"`{name}` is not a string")
    return value


def texts(params: Mapping[str, Any], name: str) -> list[str]:
    """The list of strings `name` of a request's params.

    :raises InvalidParams: it is missing or something else
    """
    value = params.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidParams(f"`{name}` is not a list of strings")
    return value


def values(params: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object `name` of a request's params.

    :raises InvalidParams: it is missing or something else
    """
    value = params.get(name)
    if not isinstance(value, dict):
        raise InvalidParams(f"`{name}` is not an object")
    return value


def variables(params: Mapping[str, Any], name: str) -> dict[str, str]:
    """The variables `name` of a request's params, by their names.

    :raises InvalidParams: they are missing or something else
    """
    value = params.get(name)
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise InvalidParams(f"`{name}` is not made of variables")
    return value
