"""The config files that git on the host reads for its user in every repository (git-config(1)), without running git.

The system's one is at a place that is chosen when git is built, `etc` of the folder that it is installed in, or `/etc`
for those of `/usr` and of most distributions. Where both are there both count: an editor may run another git than
the user does. A git that was built for yet another place is not known here: `GIT_CONFIG_SYSTEM` names it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping

from sandboxd.model.paths import lies_in

_OF_SYSTEM = "/etc/gitconfig"
_BELOW_PREFIX = "etc/gitconfig"
_TRUE = ("true", "yes", "on")


def user_configs(environ: Mapping[str, str], workspace: str) -> tuple[str, ...]:
    """The config files that git reads before those of a repository, in git's order; they need not exist.

    :param environ: the user's variables, of which git heeds those with the prefix `GIT_CONFIG_`
    :param workspace: an absolute path without links. A git in it does not count as the user's, and relative paths in
        `environ` begin there
    """
    return (*_of_system(environ, workspace), *_of_user(environ, workspace))


def _of_system(environ: Mapping[str, str], workspace: str) -> Iterator[str]:
    if _is_true(environ.get("GIT_CONFIG_NOSYSTEM", "")):
        return
    named = environ.get("GIT_CONFIG_SYSTEM")
    if named is not None:
        yield from _named(named, workspace)
        return
    paths = (os.path.join(prefix, _BELOW_PREFIX) for prefix in _prefixes(environ, workspace))
    # What a repository holds is no config of the system.
    yield from dict.fromkeys((_OF_SYSTEM, *(p for p in paths if not _is_within(p, workspace))))


def _of_user(environ: Mapping[str, str], workspace: str) -> Iterator[str]:
    named = environ.get("GIT_CONFIG_GLOBAL")
    if named is not None:
        yield from _named(named, workspace)
        return
    home = environ.get("HOME", "")
    folder = environ.get("XDG_CONFIG_HOME") or (home and os.path.join(home, ".config"))
    if folder:
        yield os.path.join(folder, "git/config")
    if home:
        yield os.path.join(home, ".gitconfig")


def _named(path: str, workspace: str) -> Iterator[str]:
    """The path in a variable; git reads none where that is empty, and goes to the top of a work tree first."""
    if path:
        yield os.path.join(workspace, path)


def _prefixes(environ: Mapping[str, str], workspace: str) -> Iterator[str]:
    """The folders that the first git on the user's path is installed in, by its name and by what that leads to."""
    folders = [
        folder
        for folder in environ.get("PATH", "").split(os.pathsep)
        if os.path.isabs(folder) and not _is_within(folder, workspace)
    ]
    program = shutil.which("git", path=os.pathsep.join(folders)) if folders else None
    for path in (program, os.path.realpath(program)) if program else ():
        prefix, name = os.path.split(os.path.dirname(path))
        # Git's own rule puts the config of a git in `/usr` into `/etc`; `/bin` is most often a link to that.
        if name == "bin" and prefix not in ("/usr", "/"):
            yield prefix


def _is_within(path: str, workspace: str) -> bool:
    return lies_in(os.path.realpath(path), workspace)


def _is_true(value: str) -> bool:
    """As git reads a truth value of its environment."""
    with contextlib.suppress(ValueError):
        return int(value) != 0
    return value.lower() in _TRUE
