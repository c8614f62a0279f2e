"""Asks the files of a workspace on the host what the decision about hidden files needs. No link is followed."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import reading
from sandboxd.lint import gitignore
from sandboxd.plan import beneath
from sandboxd.plan.gitlinks import index_of, names_in
from sandboxd.plan.tool_folders import KNOWN
from sandboxd.review.hide.decide import Decision
from sandboxd.secret_forms import literal_token

if TYPE_CHECKING:
    from sandboxd.plan.hiding import Hiding

READ_BYTES = 64 << 10
"""So much of the beginning of a file is looked through."""
MOST_READ = 60_000
"""The most files whose content is looked through; of further ones the name alone counts."""
_MOST_NAMED = 1000


class _Look(NamedTuple):
    status: tuple[int, ...]
    token: str


class Reader:
    """Answers for the workspace on the host at `workspace`, by `settings`, which files are hidden."""

    def __init__(self, workspace: str, settings: Hiding) -> None:
        self._workspace = workspace
        self._decision = Decision(
            settings.always,
            settings.hide,
            settings.show,
            gitignore.parse,
            secrets=settings.secrets,
        )
        self._tracked: frozenset[str] | None = None
        self._index_status: tuple[int, ...] | None = None
        self._looks: dict[str, _Look] = {}
        self._folders: dict[str, str] = {}
        self._files: set[tuple[int, int]] = set()
        self.hidden: dict[str, str] = {}
        """Paths that were found to be hidden, each with the reason."""
        self.unread = 0
        """How many files were not looked through, since they were too many."""

    def is_hidden(self, path: str, is_folder: bool) -> bool:
        """Whether `path`, or a folder above it, is hidden."""
        parts = path.split("/")
        above = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
        return any(map(self._why_folder, above)) or bool(self.why(path, is_folder))

    def why(self, path: str, is_folder: bool) -> str:
        """Why `path` is hidden, a phrase; '' if it is not. Folders above it have to be asked first."""
        if is_folder:
            return self._why_folder(path)
        status = self._status(path)
        identity = (status.st_dev, status.st_ino) if status is not None else (0, 0)
        why = self._decision.why(
            path, False, lambda: self._tracks(path, False), lambda: self._token(path, status)
        )
        if not why and identity in self._files:
            why = "it is another name of a hidden file"
        if why:
            self._note(path, why)
            if status is not None and stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                self._files.add(identity)
        return why

    def has_second_names(self) -> bool:
        """Whether a file is hidden that has other names, which may have been asked about before it."""
        return bool(self._files)

    def _why_folder(self, path: str) -> str:
        if path not in self._folders:
            why = self._decision.why(path, True, lambda: self._tracks(path, True), lambda: "")
            self._folders[path] = why
            if why:
                self._note(path, why)
        return self._folders[path]

    def _note(self, path: str, why: str) -> None:
        if len(self.hidden) < _MOST_NAMED:
            self.hidden[path] = why

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return os.lstat(f"{self._workspace}/{path}")
        except OSError:
            return None

    def _token(self, path: str, status: os.stat_result | None) -> str:
        """The kind of a token at the beginning of a file; '' for none, and for what a tool made."""
        if status is None or not stat.S_ISREG(status.st_mode) or not status.st_size:
            return ""
        key = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        known = self._looks.get(path)
        if known is not None and known.status == key:
            return known.token
        if self._is_of_tool(path):
            return ""
        if len(self._looks) >= MOST_READ and known is None:
            self.unread += 1
            return ""
        token = self._read_token(path)
        self._looks[path] = _Look(key, token)
        return token

    def _read_token(self, path: str) -> str:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with (
                beneath.open_folder(self._workspace) as root,
                beneath.parent_of(root, path, create=False) as folder,
                reading(os.open(os.path.basename(path), flags, dir_fd=folder)) as file,
            ):
                data = file.read(READ_BYTES)
        except (OSError, SandboxdError):
            return ""
        # Text of two bytes for a character, as some editors of Windows write it, is read, too.
        return literal_token(data.replace(b"\0", b"").decode("latin-1"))

    def _is_of_tool(self, path: str) -> bool:
        """Whether a tool made it: files of packages hold keys for tests, and there may be very many of them."""
        parts = path.split("/")
        for depth, name in enumerate(parts[:-1]):
            if name in KNOWN:
                folder = "/".join([self._workspace, *parts[:depth]])
                if any(os.path.lexists(f"{folder}/{marker}") for marker in KNOWN[name]):
                    return True
        return False

    def _tracks(self, path: str, is_folder: bool) -> bool:
        names = self._names()
        return any(name.startswith(f"{path}/") for name in names) if is_folder else path in names

    def _names(self) -> frozenset[str]:
        index = index_of(self._workspace)
        try:
            status = os.lstat(index.path)
            key: tuple[int, ...] = (status.st_ino, status.st_size, status.st_mtime_ns)
        except OSError:
            key = ()
        if self._tracked is None or key != self._index_status:
            self._index_status = key
            try:
                self._tracked = names_in(index)
            except (OSError, ValueError):
                # Nothing counts as tracked, so more is hidden.
                self._tracked = frozenset()
        return self._tracked
