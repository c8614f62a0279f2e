"""The limits of a sandbox that a file can set: the name of each, how it is written, and how two values compare."""

from __future__ import annotations

import re
from typing import NamedTuple, TypeGuard


class Form(NamedTuple):
    """How the values of a limit are written."""

    pattern: str
    """A regular expression for a whole value; '' for a whole number above 0."""
    words: str
    """What a value is, for messages."""


_SIZE = Form(r"^[1-9][0-9]{0,5}[mg]$", "a size like `512m` or `4g`")
_SHARE = Form(r"^([1-9][0-9]?|100)%$", "a share of the engine's processors like `50%`")
_TIME = Form(r"^[1-9][0-9]{0,5}[smh]$", "a time like `90s`, `30m` or `2h`")
_NUMBER = Form("", "a whole number like `2048`")

FORMS = {
    "memory": _SIZE,
    "processes": _NUMBER,
    "cpus": _SHARE,
    "time": _TIME,
    "home": _SIZE,
    "tmp": _SIZE,
    "copy": _SIZE,
    "hot": _SIZE,
}
"""The form of each limit, by its name: that of its key in a file, and of its field in a profile."""

OF_EVERY_PROFILE = ("memory", "processes", "cpus")
"""The limits that any sandbox can have, whether its profile sets them or not."""

_MOST_NUMBER = 4_194_304
"""`PID_MAX_LIMIT` of Linux on 64 bits (include/linux/threads.h)."""
_UNITS = {"%": 1, "s": 1, "m": 60, "h": 3600}
_SIZE_UNITS = {"m": 1 << 20, "g": 1 << 30}


def is_value(value: object, name: str) -> TypeGuard[str | int]:
    """Whether `value` is one that the limit `name` can have."""
    form = FORMS[name]
    if not form.pattern:
        return type(value) is int and 0 < value <= _MOST_NUMBER
    return isinstance(value, str) and re.fullmatch(form.pattern, value) is not None


def amount(name: str, value: str | int) -> int:
    """How much the limit `name` allows with this value: bytes, processes, hundredths of the processors, or seconds."""
    if isinstance(value, int):
        return value
    units = _SIZE_UNITS if FORMS[name] is _SIZE else _UNITS
    return int(value[:-1]) * units[value[-1]]
