"""The order of Debian package versions: epoch, upstream version, Debian revision. Pure.

As Debian's policy manual says (5.6.12): a ``~`` sorts before the end of the text, letters before other
characters, and digits are compared as numbers."""

from __future__ import annotations

import functools
import re
from typing import Any


def is_at_least(version: str, least: str) -> bool:
    """Whether the package version `version` is `least` or a later one."""
    return _key(version) >= _key(least)


def upstream(version: str) -> str:
    """The upstream version in a package version: ``26.1.5+dfsg1`` of ``2:26.1.5+dfsg1-9+deb13u1``."""
    return _split(version)[1]


def _split(version: str) -> tuple[int, str, str]:
    epoch, colon, rest = version.partition(":")
    if not colon or not epoch.isdecimal():
        epoch, rest = "0", version
    main, dash, revision = rest.rpartition("-")
    return (int(epoch), main, revision) if dash else (int(epoch), rest, "")


@functools.cache
def _key(version: str) -> tuple[Any, ...]:
    epoch, main, revision = _split(version)
    return (epoch, _part(main), _part(revision or "0"))


def _part(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """The runs of other characters and the numbers after them; the end of a run weighs 0, above a ``~``."""
    pieces = tuple(
        ((*(_weight(character) for character in run), 0), int(number or 0))
        for run, number in re.findall(r"(\D*)(\d*)", text)
        if run or number
    )
    return (*pieces, ((0,), 0))


def _weight(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256
