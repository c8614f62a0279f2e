"""The policy for a path: whether its content is copied into the sandbox, out of it, both ways, or not at all."""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from sandboxd.plan.git_named import WHY
from sandboxd.plan.named_paths import Named
from sandboxd.policy.acts_on_host import beside_head, plain_name, weigh
from sandboxd.sync.state import Snapshot
from sandboxd.sync.wire import TEMPORARY

_ASIDE = ".inside-"
_SUFFIX = re.compile(r"(?:\.inside-[0-9a-f]{8}(?:-[0-9]{1,4})?)+\Z")


class Flow(enum.Flag):
    """The directions in which content is copied."""

    NONE = 0
    IN = enum.auto()
    OUT = enum.auto()
    BOTH = IN | OUT


class Rule(NamedTuple):
    """The directions for a path.

    `why` is the reason, a phrase, if it is not copied both ways or `is_marked`: it runs when the project is built or
    tested.
    """

    flow: Flow
    why: str = ""
    is_marked: bool = False


_BOTH = Rule(Flow.BOTH)
HIDDEN = "hidden from the sandbox"
"""Why nothing is copied at a path that the sandbox must not have."""


def _never(_path: str) -> bool:
    return False


def _never_of(_path: str, _is_folder: bool) -> bool:
    return False


class Policy(NamedTuple):
    """The choices of a project and its user about paths.

    :ivar is_hidden: whether the sandbox must not get the content of a path (second argument: whether it is a folder)
    :ivar is_ignored: whether git ignores a path (second argument: whether it is a folder), so that it is not copied
    :ivar is_wanted: whether an ignored path is copied all the same, because the user chose so
    :ivar is_outward: whether a path is a product of the sandbox, so that the host's changes of it are not copied
    :ivar runs_pass: whether files that run when the project is built or tested are copied out, marked
    :ivar named: the paths that git on the host acts upon because a setting names them, which are never copied out
    """

    is_hidden: Callable[[str, bool], bool] = _never_of
    is_ignored: Callable[[str, bool], bool] = _never_of
    is_wanted: Callable[[str, bool], bool] = _never_of
    is_outward: Callable[[str], bool] = _never
    runs_pass: bool = True
    named: Named = Named()

    def of(self, _host: Snapshot | None) -> Policy:
        """Itself, whatever the host has: see `Policies`."""
        return self

    def excludes(self, path: str, is_folder: bool) -> bool:
        """Whether nothing is copied at `path` and below it; folders above it have to be asked first."""
        name = path.rpartition("/")[2]
        origin = _origin(name)
        if name.startswith(TEMPORARY) or _is_never(origin):
            return True
        if self._stays_apart(path, is_folder):
            return True
        # A copy that a conflict put aside passes no further than the file that it is of.
        return origin != name and self._stays_apart(path[: -len(name)] + origin, is_folder)

    def _stays_apart(self, path: str, is_folder: bool) -> bool:
        if self.is_hidden(path, is_folder):
            return True
        return self.is_ignored(path, is_folder) and not self.is_wanted(path, is_folder)

    def rule(self, path: str, is_folder: bool, *, is_beside_head: bool = False) -> Rule:
        """The directions for `path`.

        :param is_beside_head: whether a file `HEAD` in the same folder could make that a git repository
        """
        names = path.split("/")
        if any(name.startswith(TEMPORARY) for name in names):
            return Rule(Flow.NONE, "a file of ours that is being written")
        origin = "/".join(_origin(name) for name in names)
        rule = self._rule(path, is_folder, is_beside_head)
        if origin == path:
            return rule
        return _narrower(rule, self._rule(origin, is_folder, is_beside_head))

    def _rule(self, path: str, is_folder: bool, is_beside_head: bool) -> Rule:
        weight, why = weigh(path)
        if weight == "never":
            return Rule(Flow.NONE, why)
        if self.is_hidden(path, is_folder):
            return Rule(Flow.NONE, HIDDEN)
        if self.is_ignored(path, is_folder) and not self.is_wanted(path, is_folder):
            return Rule(Flow.NONE, "ignored by git: it stays where it was made")
        if weight != "control" and self.named.has(path):
            return Rule(Flow.IN, WHY)
        if not weight and is_beside_head:
            why = beside_head(path)
            weight = "control" if why else ""
        if weight == "control":
            return Rule(Flow.IN, why)
        if self.is_outward(path):
            return Rule(Flow.OUT, "a product of the sandbox")
        if weight == "runs":
            return Rule(Flow.BOTH if self.runs_pass else Flow.IN, why, is_marked=True)
        return _BOTH


class Policies(Protocol):
    """The policy by the files that the host has at present, such as each `.gitignore`."""

    def of(self, host: Snapshot | None, /) -> Policy:
        """The policy for the host's state `host`, the same object as before where that changes nothing.

        :param host: None where it was not looked at yet
        """


def decides_of_others(path: str) -> bool:
    """Whether the file at `path` is part of the policy for other paths, so that it is copied before them."""
    return path.rpartition("/")[2] == ".gitignore"


def _narrower(one: Rule, other: Rule) -> Rule:
    flow = one.flow & other.flow
    reason = other if other.flow is not Flow.BOTH else one
    return Rule(flow, reason.why, one.is_marked or other.is_marked)


@functools.lru_cache(maxsize=65536)
def _is_never(name: str) -> bool:
    """Whether `name` is a version control's own folder; no such folder has a longer path."""
    return weigh(name)[0] == "never"


def could_matter_beside_head(path: str) -> bool:
    """Whether a file `HEAD` in the same folder can change the directions for `path`."""
    return _ASIDE in path or bool(beside_head(path))


def is_head(path: str) -> bool:
    """Whether some file systems would treat the last name of `path` as `HEAD`."""
    return plain_name(path.rpartition("/")[2]) == "head"


def aside(name: str, mark: str, number: int) -> str:
    """The name under which the sandbox's version of `name` is kept after a conflict.

    :param mark: eight hexadecimal digits that identify the version
    :param number: 1 at first; higher if the name is taken
    """
    ending = f"{_ASIDE}{mark}" if number == 1 else f"{_ASIDE}{mark}-{number}"
    return f"{_origin(name)}{ending}"


def is_aside(path: str) -> bool:
    """Whether `path` is the sandbox's version of a file that both sides changed."""
    name = path.rpartition("/")[2]
    return _origin(name) != name


def asides(paths: Iterable[str]) -> list[str]:
    """Those of `paths` that are such versions, in order."""
    # A look for the ending in a whole path is much faster than one at its last name.
    return sorted(path for path in paths if _ASIDE in path and is_aside(path))


def _origin(name: str) -> str:
    """The name of the file that a copy put aside is of."""
    # Every path of a side is asked about.
    return (_SUFFIX.sub("", name) or name) if _ASIDE in name else name
