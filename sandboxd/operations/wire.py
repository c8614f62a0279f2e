"""Results of operations as JSON; each operation has a `decode` for the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def encode(value: Any) -> Any:
    """`value` as JSON data: named tuples become objects, other tuples lists."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: encode(item) for name, item in value._asdict().items()}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {name: encode(item) for name, item in value.items()}
    return value
