"""The host's side of trials of premises: files and a socket that are bound read-only, and their state afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import stat
import tempfile
from typing import TYPE_CHECKING, Any

from sandboxd.errors import UnreadableError
from sandboxd.files import read_start

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

SOCKET = "host.sock"
PINNED = "pinned"
"""The name of the read-only folder in `PremiseFolder.above`."""
_CONTENT = "content of the host\n"
_MODE = 0o666


class PremiseFolder:
    """A temporary folder on the host, with a file for each premise, one file that is bound alone, and a socket.

    :param names: the names of the premises
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._temporary = tempfile.TemporaryDirectory(prefix="sandboxd-premises-")
        # Other users of the machine pass through as well: a name that they cannot list keeps them from the files,
        # which they would write, or exchange for what nobody can read to its end.
        self._private = os.path.join(self._temporary.name, secrets.token_hex(8))
        self.folder = os.path.join(self._private, "folder")
        """The path of the folder that is bound read-only."""
        self.file = os.path.join(self._private, "file")
        """The path of the file that is bound read-only."""
        self.above = os.path.join(self._private, "above")
        """The path of the folder that is bound read-write."""
        self.pinned = os.path.join(self.above, PINNED)
        """The path of the folder in it that is bound read-only."""
        self._server: socket.socket | None = None

    def __enter__(self) -> PremiseFolder:
        os.mkdir(self._private)
        for path in (self._private, self._temporary.name):
            os.chmod(path, 0o711)  # noqa: S103 - a container's users pass through
        os.mkdir(self.folder)
        # An attack must fail by the mount, not by the owner.
        os.chmod(self.folder, 0o777)  # noqa: S103
        os.makedirs(self.pinned)
        os.chmod(self.above, 0o777)  # noqa: S103
        for path in (self.file, *(os.path.join(self.folder, name) for name in self._names)):
            with open(path, "w", encoding="ascii") as file:
                file.write(_CONTENT)
            os.chmod(path, _MODE)
        with contextlib.suppress(OSError):
            self._server = self._listen()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        self._temporary.cleanup()

    def look(self) -> dict[str, Any]:
        """The changes by the trial: ``files`` by name (``changed``, ``mode_changed``), ``moved`` and ``connections``.

        ``moved`` tells whether the read-only folder in `above` was moved, ``connections`` how often the socket was
        connected to, None where it could not be made.
        """
        paths = {name: os.path.join(self.folder, name) for name in self._names}
        files = {name: _look(path) for name, path in {**paths, "file": self.file}.items()}
        moved = os.listdir(self.above) != [PINNED]
        return {"files": files, "moved": moved, "connections": self._connections()}

    def _listen(self) -> socket.socket:
        server = socket.socket(socket.AF_UNIX)
        try:
            path = os.path.join(self.folder, SOCKET)
            server.bind(path)
            os.chmod(path, _MODE)
            server.listen(16)
            server.setblocking(False)
        except OSError:
            server.close()
            raise
        return server

    def _connections(self) -> int | None:
        if self._server is None:
            return None
        count = 0
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                connection.close()
                count += 1
        return count


def _look(path: str) -> dict[str, bool]:
    try:
        content = read_start(path, len(_CONTENT) + 1)
        mode = os.lstat(path).st_mode
    except (OSError, UnreadableError):
        return {"changed": True, "mode_changed": True}
    is_other = not stat.S_ISREG(mode) or content != _CONTENT.encode()
    return {"changed": is_other, "mode_changed": stat.S_IMODE(mode) != _MODE}
