"""A failed command, what was in force around it, and an answer about the cause."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.container import Container, Mount
from sandboxd.model.limits import FORMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandboxd.observe.counters import Counters
    from sandboxd.plan.reasons import Reason

    Find = Callable[["Failure", "Sandbox"], Iterator["Answer"]]
    """Each module of `causes` has one as `find`."""


_LONGEST_COMMAND = 80


class Failure(NamedTuple):
    """A command that failed inside. What it printed is hostile text."""

    command: tuple[str, ...]
    exit_code: int
    output: str
    """The end of what it printed to both streams, without terminal sequences."""
    began: float
    """Seconds since 1970, by this machine's clock; so is `ended`."""
    ended: float
    folder: str = ""
    """The folder inside that it ran in; '' if that is not known."""

    def lines(self) -> list[str]:
        """The lines of its output, the last first: what a program says at its end is mostly the reason."""
        return self.output.splitlines()[::-1]


class Attempt(NamedTuple):
    """A name that something inside asked for while the command ran, and did not reach. `name` is hostile text."""

    name: str
    port: int
    """0 if it was only looked up."""
    reason: str
    """A reason of `egress.messages.Attempted`."""
    words: str
    detail: str = ""
    rule: str = ""
    """The source of the rule that decided; '' without one."""
    command: str = ""
    """The command that allows it; '' if none does."""


class Sandbox(NamedTuple):
    """What was in force around the command, as the engine and the gateway tell it."""

    container: Container
    profile: str = ""
    is_gvisor: bool = False
    network: str = "open"
    """The network mode: ``none``, ``allow`` or ``open``."""
    reasons: tuple[Reason, ...] = ()
    """Of the plan; () if it cannot be made any more."""
    may_add: tuple[str, ...] = ()
    """The capabilities that a project of this profile may ask for."""
    is_root: bool = False
    """Whether the command ran as root."""
    refused_calls: frozenset[str] = frozenset()
    """The system calls that the seccomp profile refuses with any arguments; empty if none filters the command."""
    attempts: tuple[Attempt, ...] = ()
    counters: Counters | None = None
    """What was counted while the command ran; None if it was not read before and after it."""
    was_out_of_memory: bool = False
    """Whether the engine says that the kernel ended it, as it had used up its memory."""

    def decided_by(self, field: str, item: str = "") -> str:
        """What decided a value of the plan, such as ``profile dev``; '' if the plan does not say.

        :param item: a part of the value in Docker's spelling; '' for the first of the field
        """
        for reason in self.reasons:
            if reason.field == field and item in reason.item:
                return reason.decided_by
        return ""

    def has(self, capability: str) -> bool:
        """Whether the command can have a capability. With root's usual rights, Docker's default counts as having it."""
        container = self.container
        if container.is_privileged():
            return True
        added = any(each.value in (capability, "ALL") for each in container.cap_add)
        return self.is_root and (added or not container.drops_all())

    def mount_at(self, path: str) -> Mount | None:
        """The mount that a path inside is on; None for the root file system."""
        parents = [
            mount.value
            for mount in self.container.mounts
            if (path + "/").startswith(mount.value.target.rstrip("/") + "/")
        ]
        return max(parents, key=lambda mount: len(mount.target), default=None)


class Answer(NamedTuple):
    """A cause of the failure."""

    control: str
    """The control that blocked the command; '' for a cause that is none of the sandbox's."""
    because: str
    """One sentence without a full stop; parts of hostile text are quoted in backticks."""
    decided_by: str = ""
    change: str = ""
    """The narrowest change: a command in backticks, or a line of sandboxd.toml. '' if no setting changes it."""
    cost: str = ""
    """What the change gives up."""
    is_certain: bool = False
    """Whether two witnesses that do not depend on each other say so: mostly the words of the program, and a control
    that is in force and leaves no other outcome.
    """


def find_line(failure: Failure, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """The match of `pattern` in the last line that has one."""
    return next(filter(None, map(pattern.search, failure.lines())), None)


def as_root(failure: Failure) -> str:
    """The command that runs the same as root inside. What cannot be typed as it is stands as ``COMMAND``."""
    words = shlex.join(failure.command)
    is_plain = words.isprintable() and len(words) <= _LONGEST_COMMAND and "`" not in words
    return f"`sandboxd exec --root -- {words if is_plain else 'COMMAND'}`"


def larger(limit: str, now: int, decided_by: str) -> str:
    """The change that doubles a limit of the sandbox; '' where the policy minimum set it, which allows no more.

    :param limit: its name of `model.limits`
    :param now: bytes, or a number
    """
    if decided_by == "floor":
        return ""
    twice = str(2 * now)
    if FORMS[limit].pattern:
        twice = f'"{now >> 19}m"' if now % (1 << 29) else f'"{now >> 29}g"'
    return f"`{limit} = {twice}` under `[limits]` in sandboxd.toml, then `sandboxd up --recreate`"
