"""Parameters of an operation, read strictly: what is not of its kind is refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandboxd.ipc.server import InvalidParams


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


def variables(params: Mapping[str, Any], name: str) -> dict[str, str]:
    """The variables `name` of a request's params, by their names.

    :raises InvalidParams: they are missing or something else
    """
    value = params.get(name)
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise InvalidParams(f"`{name}` is not made of variables")
    return value
