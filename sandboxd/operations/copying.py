"""Copy files into a project's sandbox and out of it, in this process, whatever backend it runs on.

Inside, its own `tar` reads and writes as the sandbox's user, so paths are resolved as they are inside. On the host no
link is followed that lies in the workspace, where the sandbox may have made it.
"""

from __future__ import annotations

import functools
import hashlib
import os
import posixpath
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.operations import recording
from sandboxd.operations._folder import project_folder

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandboxd.backends.backend import Backend
    from sandboxd.review.collect import Inside
    from sandboxd.review.copy_out import Copied

# A limit, since the output is held in memory.
MOST_BYTES = 1 << 30
_SECONDS = 600.0

# The name may be a link, which is resolved inside.
_ABSENT = 66
_PACK = (
    f'[ -e "$1" ] || [ -L "$1" ] || exit {_ABSENT}; '
    'p=$(readlink -f -- "$1") && cd "$(dirname -- "$p")" && exec tar -cf - "./$(basename -- "$p")"'
)


def copy_in(backend: Backend, directory: str, source: str, target: str, name: str = "") -> int:
    """Copy the file or folder `source` of the host into the running sandbox `name`; return the number of files.

    :param target: an existing folder inside to copy into, or the path of the copy
    :raises UsageError: `source` does not exist, or is too large
    :raises EnvironmentFailure: no such sandbox runs, or it cannot be written inside
    """
    from sandboxd.model.sandbox_id import workspace_of
    from sandboxd.plan.mounts import folder_inside

    running = backend.locate(project_folder(directory), name)
    workspace = workspace_of(running.sandbox)
    path = posixpath.join(folder_inside(directory, workspace), target)
    with backend.blaming_end(running):
        return put(functools.partial(backend.run, running), workspace, source, path)


def put(inside: Inside, workspace: str, source: str, path: str) -> int:
    """Copy the file or folder `source` of the host to `path` inside a sandbox; return the number of files.

    :param workspace: the workspace on the host, below which no symbolic link is followed
    :param path: an existing folder inside to copy into, or the path of the copy
    :raises UsageError: `source` does not exist, or is too large
    :raises EnvironmentFailure: it cannot be written inside
    """
    from sandboxd.review import copy_in as reader

    output = _Output(1 << 16)
    is_folder = _run(inside, ["sh", "-c", '[ -d "$1" ]', "sh", path], b"", output)
    own = os.path.basename(os.path.abspath(source))
    folder, entry = (path, own) if is_folder == 0 else posixpath.split(path.rstrip("/"))
    archive, count = reader.pack(*reader.place(workspace, source), entry)
    code = _run(inside, ["tar", "-xf", "-", "-C", folder], archive, output)
    if code:
        raise EnvironmentFailure(
            f"`{source}` cannot be written to `{path}` inside: {output.reason(code)}",
            "the folder has to be there: `sandboxd exec mkdir -p FOLDER`; the image needs `tar`",
        )
    return count


def copy_out(
    backend: Backend,
    directory: str,
    source: str,
    target: str,
    name: str = "",
    include: Collection[str] = (),
) -> Copied:
    """Copy the file or folder `source` inside the running sandbox `name` to `target` on the host, checked as in
    `review`.

    :param target: an existing folder to copy into, or the path of the copy
    :param include: paths of files that tools on the host act upon and that are written all the same
    :raises UsageError: `source` does not exist inside, or the folder of `target` does not exist
    :raises EnvironmentFailure: no such sandbox runs, it cannot be read inside, or it is too large
    """
    from sandboxd.model.sandbox_id import workspace_of
    from sandboxd.plan.mounts import folder_inside

    running = backend.locate(project_folder(directory), name)
    workspace = workspace_of(running.sandbox)
    path = posixpath.join(folder_inside(directory, workspace), source)
    with backend.blaming_end(running):
        inside = functools.partial(backend.run, running)
        return fetch(inside, workspace, path, target, include)


def fetch(
    inside: Inside, workspace: str, path: str, target: str, include: Collection[str]
) -> Copied:
    """Copy `path` inside a sandbox to `target` on the host, checked as in `review`.

    :param workspace: the workspace on the host, below which no symbolic link is followed
    :param target: an existing folder to copy into, or the path of the copy
    :param include: paths of files that tools on the host act upon and that are written all the same
    :raises UsageError: `path` does not exist inside, or the folder of `target` does not exist
    :raises EnvironmentFailure: it cannot be read inside, or is too large
    :raises RecordFailure: a file of `include` cannot be recorded in the audit record; then it is not written
    """
    from sandboxd.review import copy_out as writer
    from sandboxd.review.copy_in import place

    own = posixpath.basename(path.rstrip("/")) or "root"
    target = os.path.abspath(target)
    folder, entry = (target, own) if os.path.isdir(target) else os.path.split(target)
    if not os.path.isdir(folder):
        raise UsageError(f"there is no folder `{folder}`", f"`mkdir -p {folder}`")
    output = _Output(MOST_BYTES)
    code = _run(inside, ["sh", "-c", _PACK, "sh", path], b"", output)
    if code == _ABSENT:
        raise UsageError(
            f"`{path}` is not there inside, or may not be seen",
            "check its name: `sandboxd exec ls`",
        )
    if code:
        raise EnvironmentFailure(
            f"`{path}` cannot be read inside: {output.reason(code)}",
            "check its name: `sandboxd exec ls`; the image needs `tar` and `readlink`",
        )
    root, below = place(workspace, os.path.join(folder, entry))

    def before_include(path: str, data: bytes) -> None:
        recording.before_copy(os.environ, workspace, path, hashlib.sha256(data).hexdigest())

    return writer.write(root, below, output.data(), include, before_include)


def _run(inside: Inside, command: list[str], data: bytes, output: _Output) -> int:
    """Run `command` with the input `data`; returns its exit code.

    :raises EnvironmentFailure: it does not end
    """
    try:
        return inside(command, data, _SECONDS, output.write)
    except TimeoutError:
        raise EnvironmentFailure(
            f"the sandbox did not copy it within {_SECONDS:.0f} s",
            "look at what runs in it: `sandboxd exec ps`; copy a part of it",
        ) from None


class _Output:
    """The output of a command, up to a limit."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._pieces: list[bytes] = []
        self._errors = b""

    def write(self, stream: int, data: bytes) -> None:
        if stream == 2:
            # How it begins: the last line of `tar` says only that something failed.
            self._errors = (self._errors + data)[:500]
            return
        self._left -= len(data)
        if self._left < 0:
            raise EnvironmentFailure(
                "it is more than can be copied at once", "copy a part of it, or pack it inside"
            )
        self._pieces.append(data)

    def data(self) -> bytes:
        return b"".join(self._pieces)

    def reason(self, code: int) -> str:
        """The reason why the command failed, in words."""
        return " ".join(self._errors.decode("utf-8", "replace").split()) or f"exit code {code}"
