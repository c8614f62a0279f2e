"""Files on this machine that are bind-mounted read-only into a sandbox: `sandboxd-ask`, and settings of tools
inside.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from sandboxd import egress
from sandboxd.files import read_bytes, write_atomic
from sandboxd.host.folders import state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = "sandboxd-ask"


def ask_program(environ: Mapping[str, str]) -> str:
    """Return the path on this machine of `sandboxd-ask`, with which programs inside ask the user to allow a host name.

    It is a copy: installers drop the right to execute a file that is part of a package.

    :raises EnvironmentFailure: the copy cannot be written
    """
    data = read_bytes(os.path.join(os.path.dirname(egress.__file__), "inside", _NAME))
    return file_for_inside(environ, _NAME, data, 0o755)


def file_for_inside(environ: Mapping[str, str], name: str, data: bytes, mode: int) -> str:
    """Write `data` to a file on this machine, to be bind-mounted into sandboxes, and return its path.

    The path depends on a digest of the content, so a file that is already mounted somewhere is never changed.

    :param mode: the permission bits of the file
    :raises EnvironmentFailure: it cannot be written
    """
    folder = hashlib.sha256(data).hexdigest()[:16]
    # A link on the way to a mount is refused: the engine would follow it.
    path = os.path.join(os.path.realpath(state_folder(environ)), "inside", folder, name)
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    write_atomic(path, data, mode)
    os.chmod(path, mode)  # another user reads it inside, whatever our umask
    return path
