"""A user by name is whom the image says: a plan without root must not get it under another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.plan import profiles

if TYPE_CHECKING:
    from sandboxd.plan.plan import Plan
    from sandboxd.sandbox.engine import Engine

_TABLE = "/etc/passwd"
_LARGEST_ID = 2**31 - 1


def refuse_root(engine: Engine, container: str, plan: Plan) -> None:
    """Look a named user up as the engine will, in a container that was not started yet.

    :raises UsageError: the name stands for root, or its number cannot be known
    """
    user = plan.container.user
    name = user.value.partition(":")[0] if user is not None else ""
    # Other digits than these are a name to an engine.
    if (
        not name
        or (name.isascii() and name.isdecimal())
        or profiles.load(plan.profile).user != "non-root"
    ):
        return
    table = engine.small_file(container, _TABLE)
    if table is None:
        # The engine finds no such user there either, and says so when it starts the container.
        return
    number = number_of(table, name)
    if number == "":
        return
    if not (number.isdecimal() and 0 < int(number) <= _LARGEST_ID):
        raise UsageError(
            f"the image makes `{name}` root: `{_TABLE}` in it gives the number `{number[:40]}`, and "
            f"profile `{plan.profile}` does not run as root",
            "name another user, or a number: `user` in sandboxd.toml; or take it out",
        )


def number_of(table: bytes, name: str) -> str:
    """The number of a user, as it is written: the first line that has the name; '' for none.

    A line without one, or whose number is none, is root's to an engine.
    """
    for line in table.decode("utf-8", "surrogateescape").split("\n"):
        fields = line.strip().split(":")
        if fields[0] == name:
            return fields[2] if len(fields) > 2 and fields[2] else "0"
    return ""
