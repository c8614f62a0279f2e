"""The user inside: a name means what the image says, and must not stand for root where the plan forbids root."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.errors import UsageError

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine
    from sandboxd.plan.plan import Plan

_USERS = "/etc/passwd"
_GROUPS = "/etc/group"
_GROUP_OF_USER = 3
_LARGEST_ID = 2**31 - 1
_LARGEST_TABLE = 1 << 20
_MOST_LINKS = 5
# Go's mode bit of a symbolic link.
_LINK = 1 << 27
_HINT = 'name another user, or a number, in sandboxd.toml: `user = "1000:1000"`'
# Engines take other digits than these for a name.
_NUMBER = re.compile(r"[+-]?[0-9]+")

_BLOCK = 512
_FILE = (b"0", b"\0")
# Entries of an archive that say more of the next one: long names, times, attributes.
_EXTENSIONS = (b"x", b"g", b"L", b"K")


def refuse_root(engine: Engine, container: str, plan: Plan) -> None:
    """Look up the plan's user by name in a container that was not started yet, as the engine will, and refuse root.

    :raises UsageError: the name means root or no user, or its number cannot be determined
    """
    user = plan.container.user
    if user is None or not plan.refuses_root:
        return
    name, _, group = user.value.partition(":")
    if group and not _NUMBER.fullmatch(group):
        number = number_of(_table(engine, container, _GROUPS), group)
        _refuse_roots_group(number, user.value, _GROUPS, plan)
    if _NUMBER.fullmatch(name):
        return
    table = _table(engine, container, _USERS)
    # An engine takes an empty name for root.
    number = number_of(table, name) if name else "0"
    if number == "":
        raise UsageError(f"the image `{plan.image()}` has no user `{name}`", _HINT)
    if not (number.isdecimal() and 0 < int(number) <= _LARGEST_ID):
        raise UsageError(
            f"the image makes `{user.value}` root: `{_USERS}` in it gives the number "
            f"`{number[:40]}`, and profile `{plan.profile}` does not run as root"
            if name
            else f"`{user.value}` is root, and profile `{plan.profile}` does not run as root",
            _HINT + "; or take it out",
        )
    if not group:
        _refuse_roots_group(number_of(table, name, _GROUP_OF_USER), user.value, _USERS, plan)


def _refuse_roots_group(number: str, user: str, table: str, plan: Plan) -> None:
    """Refuse root's group in any spelling that an engine takes for it; '' is a group that does not exist.

    :raises UsageError: it is root's
    """
    if number and not (number.isdecimal() and int(number) > 0):
        raise UsageError(
            f"the image puts `{user}` into root's group: `{table}` in it gives the number "
            f"`{number[:40]}`, and profile `{plan.profile}` does not run in that group",
            _HINT,
        )


def number_of(table: bytes, name: str, field: int = 2) -> str:
    """The number of a user or group in a table like ``/etc/passwd``, as it is written: of the first line with the name.

    :param field: the position of the number in a line, from 0
    :returns: '' if there is no such line; for a line without a valid number the engine uses root's
    """
    for line in table.decode("utf-8", "surrogateescape").split("\n"):
        fields = line.strip().split(":")
        if fields[0] == name:
            return fields[field] if len(fields) > field and fields[field] else "0"
    return ""


def _table(engine: Engine, container: str, table: str) -> bytes:
    """The content of a table in a created container, links followed; b"" where there is none."""
    path = table
    for _ in range(_MOST_LINKS):
        answer = engine.archive(container, path, _LARGEST_TABLE)
        if answer is None:
            return b""
        header, tar = answer
        # Some engines set `linkTarget` for every file, so the mode decides.
        if int(header.get("mode") or 0) & _LINK:
            path = str(header.get("linkTarget") or "")
            continue
        data = file_of(tar)
        if data is None:
            break
        return data
    raise UsageError(
        f"`{table}` of the image is no regular file of an ordinary size, so nobody knows whom a name "
        "stands for",
        'name the user by number in sandboxd.toml: `user = "1000:1000"`',
    )


def file_of(tar: bytes) -> bytes | None:
    """The content of the only regular file in a tar archive; None if the archive holds something else or is truncated.

    It does without `tarfile`, whose import takes longer than the engine's answer.
    """
    at = 0
    while len(header := tar[at : at + _BLOCK]) == _BLOCK:
        digits, kind = header[124:136].strip(b"\0 "), header[156:157]
        if not digits or digits.strip(b"01234567"):
            return None
        size = int(digits, 8)
        at += _BLOCK
        if kind in _FILE:
            data = tar[at : at + size]
            return data if len(data) == size else None
        if kind not in _EXTENSIONS:
            return None
        at += -(-size // _BLOCK) * _BLOCK
    return None
