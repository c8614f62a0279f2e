"""Files of a workspace on which tools on the host act, found by name: to be mounted read-only, or to be named to the
user.
"""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import itertools
import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sandboxd.plan.git_control import Exposed
from sandboxd.plan.gitlinks import index_of, names_in
from sandboxd.policy.acts_on_host import root_names, weigh

_PUT_ASIDE = re.compile(r"(.+)\.halted(?:-[0-9]+)?", re.DOTALL)
_MOST_DEEP = 200
_MOST_PINS = 64
"""The most files that match a pattern to be mounted read-only, since each mount delays every start."""


class Acting(NamedTuple):
    """The files on which tools on the host act, as paths within the workspace.

    `pins` are to be mounted read-only; `exposed` stay writable, each with the reason why that matters.
    """

    pins: tuple[str, ...] = ()
    exposed: tuple[Exposed, ...] = ()


def acting(workspace: str, entries: Iterable[str], left_open: Iterable[str]) -> Acting:
    """Find the files of a workspace on which tools on the host act automatically.

    Only files at the top are mounted read-only: each folder above such a mount would have to be a mount, too, and
    nothing can be moved out of a mount.

    :param entries: paths of files and folders near the top of the workspace
    :param left_open: patterns of names, and groups of `acts_on_host` (the reason's text), that are not mounted
        read-only
    """
    left_open = tuple(left_open)
    shut: list[str] = []
    exposed: list[Exposed] = []
    aside: list[str] = []
    at_top = {name for name in root_names() if _exists(workspace, name)}
    counts = functools.cache(acts)
    for path in sorted({*entries, *at_top}):
        folder, name = posixpath.split(path)
        if folder and path not in at_top:
            # Files in a folder that is listed itself are covered by the folder.
            weight, why = ("", "") if counts(folder) else weigh(name)
            if weight == "control":
                exposed.append(Exposed(path, why))
            continue
        if (match := _PUT_ASIDE.fullmatch(path)) and counts(match[1]):
            aside.append(path)
            continue
        weight, why = weigh(path)
        if path == ".git" or weight not in ("never", "control"):
            continue
        if why in left_open or any(fnmatch.fnmatchcase(path, name) for name in left_open):
            exposed.append(Exposed(path, why))
        else:
            shut.append(path)
    # A program inside can make names that a pattern matches without end, and must push nothing out by that: names
    # of the table are all pinned, and of the others those that it did not make since.
    by_pattern = sorted(set(shut) - at_top, key=lambda path: _changed_at(workspace, path))
    pins = [path for path in shut if path in at_top] + by_pattern[:_MOST_PINS]
    exposed += [Exposed(path, weigh(path)[1]) for path in sorted(by_pattern[_MOST_PINS:])]
    # A person may put one back, and must find it as it was. After the others: anybody can make such names.
    left = max(0, _MOST_PINS - len(by_pattern))
    exposed += [
        Exposed(path, "a halt put it aside, or it has such a name") for path in aside[left:]
    ]
    return Acting(tuple(_outermost([*pins, *aside[:left]])), tuple(exposed))


def deep(workspace: str) -> Iterator[Exposed]:
    """The files and folders more than one level below the top that git tracks and on which tools act: whoever opens an
    editor or a shell in such a folder has them act there.

    Names are those of the table without a pattern, at most 200 of them that exist.
    """
    names: Iterable[str] = ()
    with contextlib.suppress(OSError, ValueError):
        names = names_in(index_of(workspace))
    paths = {path for name in names if (path := _deep_part(name))}
    # Whatever is tracked and gone, as in a sparse clone, must push nothing out that is there.
    present = (path for path in sorted(paths) if _exists(workspace, path))
    for path in itertools.islice(present, _MOST_DEEP):
        yield Exposed(path, weigh(posixpath.basename(path))[1])


def _deep_part(path: str) -> str:
    """The outermost part of `path` on which tools act, '' for none; what the top and a level below have is not meant."""
    if path.count("/") < 2:
        return ""
    names = _names_alone()
    parts = path.split("/")
    for depth, part in enumerate(parts):
        if part.casefold() in names:
            return "/".join(parts[: depth + 1]) if depth > 1 else ""
    return ""


@functools.cache
def _names_alone() -> frozenset[str]:
    return frozenset(name.casefold() for name in root_names() if "/" not in name)


def acts(path: str) -> bool:
    """Whether tools of the host act on a file or folder of the workspace, by its name."""
    return weigh(path)[0] in ("never", "control")


def is_of_version_control(path: str) -> bool:
    """Whether `path` is the folder of a version control, to whose files clones give further names, most often outside of
    the workspace.
    """
    return weigh(posixpath.basename(path))[0] == "never"


def lies_in_version_control(path: str) -> bool:
    """Whether a folder of a version control is `path`, or above it."""
    return any(is_of_version_control(part) for part in path.split("/"))


def _outermost(paths: Iterable[str]) -> Iterator[str]:
    """`paths` without those that lie in another of them."""
    outer: set[str] = set()
    for path in sorted(paths):
        parts = path.split("/")
        if not any("/".join(parts[:end]) in outer for end in range(1, len(parts))):
            outer.add(path)
            yield path


def _changed_at(workspace: str, path: str) -> int:
    """When the file was last changed, in nanoseconds of the kernel, which nobody can set."""
    try:
        return os.lstat(os.path.join(workspace, path)).st_ctime_ns
    except OSError:
        return 0


def _exists(workspace: str, path: str) -> bool:
    return os.path.lexists(os.path.join(workspace, path))
