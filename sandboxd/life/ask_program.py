"""Files on this machine that a sandbox gets, bound read-only: the program to ask for names with, and settings."""

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
    """The path on this machine of the program to ask for names with.

    Installers drop the right to execute a file that is part of a package, so it is copied.

    :raises EnvironmentFailure: it cannot be written
    """
    data = read_bytes(os.path.join(os.path.dirname(egress.__file__), "inside", _NAME))
    return file_for_inside(environ, _NAME, data, 0o755)


def file_for_inside(environ: Mapping[str, str], name: str, data: bytes, mode: int) -> str:
    """The path of a file of this content on this machine.

    Each content has a folder of its own: a bind keeps what it was made of.

    :raises EnvironmentFailure: it cannot be written
    """
    folder = hashlib.sha256(data).hexdigest()[:16]
    # A link on the way to a mount is refused: the engine would follow it.
    path = os.path.join(os.path.realpath(state_folder(environ)), "inside", folder, name)
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    write_atomic(path, data, mode)
    os.chmod(path, mode)  # another user reads it inside, whatever our umask
    return path
