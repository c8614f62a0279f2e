"""The name and e-mail address that the user's git uses in a repository, to commit inside as the user.

Read as git reads them (git-config(1)), without git. A file that is included under a condition counts where
the condition is one of the repository's folder (`gitdir`), which is how people keep two identities; other
conditions count as false, since a wrong name in a commit is worse than none."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Collection, Iterable

from sandboxd.files import reading
from sandboxd.syntax import git_config

KEYS = ("user.name", "user.email")

_DEEPEST_INCLUDE = 10
_MOST_FILES = 64
_LARGEST = 1 << 20
_LONGEST_VALUE = 256


def git_identity(workspace: str, of_user: Iterable[str], home: str) -> tuple[tuple[str, str], ...]:
    """The settings of `KEYS` that are set, each with its value.

    :param workspace: an absolute path without links
    :param of_user: the user's own config files, in git's order; the repository's is read after them
    :param home: what `~` in a config stands for; '' if it is not known
    """
    reader = Reader(os.path.join(workspace, ".git"), home, KEYS, _LONGEST_VALUE)
    for path in of_user:
        reader.read(path, 0)
    # A repository without includes: by their paths it would have other files of the host's read.
    reader.read(os.path.join(workspace, ".git", "config"), _DEEPEST_INCLUDE)
    return tuple((key, reader.values[key]) for key in KEYS if reader.values.get(key))


class Reader:
    """The last value of each of `keys` in the configs that it reads; values of more than `longest` characters do not
    count.
    """

    def __init__(self, git_folder: str, home: str, keys: Collection[str], longest: int) -> None:
        self._git_folder = git_folder
        self._home = home
        self._keys, self._longest = keys, longest
        self._files = 0
        self.values: dict[str, str] = {}

    def read(self, path: str, depth: int) -> None:
        """Read the config at `path`, which is included at the depth `depth` (0: not included)."""
        if self._files == _MOST_FILES:
            return
        self._files += 1
        for name, value in git_config.parse(_text(path)).entries:
            if not value:
                continue
            if name in self._keys:
                if value.isprintable() and len(value) <= self._longest:
                    self.values[name] = value
            elif depth < _DEEPEST_INCLUDE and self._is_included(name, os.path.dirname(path)):
                self.read(self.expand(value, os.path.dirname(path)), depth + 1)

    def _is_included(self, name: str, folder: str) -> bool:
        """Whether the setting `name` of a config in `folder` includes a file for this repository."""
        first, _, rest = name.partition(".")
        if name == "include.path":
            return True
        condition, _, key = rest.rpartition(".")
        kind, _, pattern = condition.partition(":")
        if first != "includeif" or key != "path" or kind not in ("gitdir", "gitdir/i"):
            return False
        if pattern.startswith("./"):
            pattern = os.path.join(folder, pattern[2:])
        pattern = self.expand(pattern, "") if pattern.startswith("~/") else pattern
        if not pattern.startswith("/"):
            pattern = f"**/{pattern}"
        pattern = f"{pattern}**" if pattern.endswith("/") else pattern
        texts = (self._git_folder, pattern)
        if kind == "gitdir/i":
            texts = (texts[0].lower(), texts[1].lower())
        return fnmatch.fnmatchcase(*texts)

    def expand(self, value: str, folder: str) -> str:
        """The path that `value` names in a config in `folder`."""
        if value.startswith("~/") and self._home:
            trailing = "/" if value.endswith("/") else ""
            return os.path.normpath(self._home + value[1:]) + trailing
        return os.path.join(folder, value)


def _text(path: str) -> str:
    """The regular file at `path`, '' where there is none that can be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return ""
    with reading(descriptor) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return file.read(_LARGEST).decode("utf-8", "replace")
