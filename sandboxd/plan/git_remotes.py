"""The repositories that settings of git name by a path: a push to one on the same machine runs its hooks."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from sandboxd.plan import config_text

_URLS = {("remote", "url"), ("remote", "pushurl")}
# Of a branch and of all, where a name of a remote may stand as well.
_REMOTES = {("branch", "remote"), ("branch", "pushremote"), ("remote", "pushdefault")}
_PREFIXES = {("url", "insteadof"), ("url", "pushinsteadof")}
_FILE = "file://"
FOLDERS = ("remotes", "branches")
"""The folders of a git directory in which older versions of git keep remotes, each in a file."""
_MOST_FILES = 100


def names_repository(setting: str) -> bool:
    """Whether a setting of git may name a repository by its URL."""
    return _ends_of(setting) in _URLS | _REMOTES | _PREFIXES


def is_prefix(setting: str) -> bool:
    """Whether it names only where URLs begin, so that any repository below may be one."""
    return _ends_of(setting) in _PREFIXES


def may_be_name(setting: str, value: str) -> bool:
    """Whether the value may be the name of a remote; if there is none of that name, git takes it for a path."""
    return _ends_of(setting) in _REMOTES and "/" not in value and value != "."


def remote_with_url(setting: str) -> str | None:
    """The remote to which a setting of git gives a URL; None for another setting."""
    return _subsection(setting) if _ends_of(setting) in _URLS else None


class Setting(NamedTuple):
    """A setting of git, with the path of its config and the work tree in which its relative paths begin."""

    name: str
    value: str
    path: str
    worktree: str


class Remotes:
    """What configs say of remotes, gathered until all of it is known."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._urls: set[Setting] = set()
        self._prefixes: set[tuple[str, str]] = set()

    def add(self, setting: Setting) -> None:
        """Take note of one that may name a repository."""
        if remote := remote_with_url(setting.name):
            self._names.add(remote)
        if is_prefix(setting.name):
            self._prefixes.add((_subsection(setting.name), setting.value))
        else:
            self._urls.add(setting)

    def further(self) -> Iterator[Setting]:
        """Those that name a repository only beside others: as no remote is called so, or as git puts another beginning in
        the place of theirs.

        Each beginning counts that one might have replaced, also one that git passes over for a longer one.
        """
        for setting in sorted(self._urls):
            if may_be_name(setting.name, setting.value):
                if setting.value in self._names:
                    continue
                yield setting
            for base, prefix in sorted(self._prefixes):
                if setting.value.startswith(prefix):
                    yield setting._replace(value=base + setting.value.removeprefix(prefix))


class RemoteFile(NamedTuple):
    """A file that names a remote: its absolute path, the remote, and its URLs."""

    path: str
    remote: str
    urls: tuple[str, ...]


def files_in(common: str) -> Iterator[RemoteFile]:
    """The files of a git directory that name remotes as older versions of git did."""
    for folder in FOLDERS:
        names: list[str] = []
        with contextlib.suppress(OSError):
            names = sorted(os.listdir(os.path.join(common, folder)))
        for name in names[:_MOST_FILES]:
            path = os.path.join(common, folder, name)
            lines = (config_text.outside(os.path.realpath(path)) or "").splitlines()
            if folder == "branches":
                urls = [lines[0].partition("#")[0].strip()] if lines else []
            else:
                pairs = [line.partition(":") for line in lines]
                urls = [value.strip() for key, _, value in pairs if key == "URL"]
            yield RemoteFile(path, name, tuple(urls))


def folder_of(setting: str, value: str) -> str | None:
    """The path, as it is written, that a setting of git names as a repository on this machine; None for no such.

    What may be the name of a remote is taken for a path.
    """
    url = _subsection(setting) if is_prefix(setting) else value
    if url.startswith(_FILE):
        return unquote("/" + url.removeprefix(_FILE).partition("/")[2])
    # As git tells it from `host:path`, and from other schemes.
    colon, slash = url.find(":"), url.find("/")
    is_here = colon < 0 or 0 <= slash < colon
    return url if url and is_here else None


def _subsection(setting: str) -> str:
    return setting.partition(".")[2].rpartition(".")[0]


def _ends_of(setting: str) -> tuple[str, str]:
    """The section and the key of a setting's name."""
    return setting.partition(".")[0].lower(), setting.rpartition(".")[2].lower()
