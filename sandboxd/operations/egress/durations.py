"""Durations as users type them."""

from __future__ import annotations

import re

from sandboxd.errors import UsageError

LONGEST = 366 * 86400.0
"""The longest approval, in seconds. For a permanent one the user writes a rule into sandboxd.toml."""

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    """The number of seconds of a duration such as `90s`, `30m`, `2h` or `7d`.

    :raises UsageError: it has another form, or is longer than `LONGEST`
    """
    match = re.fullmatch(r"([0-9]{1,6})(s|m|min|h|d)", text, re.ASCII)
    length = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < length <= LONGEST:
        raise UsageError(
            f"`{text}` is no length of time for an approval",
            "`30m`, `2h` or `7d`; `sandboxd egress promote` makes a rule that lasts",
        )
    return float(length)
