"""The program that a sandbox gets to ask with: a file of the user's own, to be bound read-only."""

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
    """Its path on this machine. Each version has a folder of its own: a bind keeps what it was made of.

    Installers drop the right to execute a file that is part of a package, so it is copied.

    :raises EnvironmentFailure: it cannot be written
    """
    data = read_bytes(os.path.join(os.path.dirname(egress.__file__), "inside", _NAME))
    name = hashlib.sha256(data).hexdigest()[:16]
    # A link on the way to a mount is refused: the engine would follow it.
    path = os.path.join(os.path.realpath(state_folder(environ)), "inside", name, _NAME)
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    write_atomic(path, data, 0o755)
    os.chmod(path, 0o755)  # noqa: S103 - another user runs it inside, whatever our umask
    return path
