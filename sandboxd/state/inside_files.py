"""Files on this machine that are bind-mounted read-only into sandboxes."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.files import write_atomic
from sandboxd.folders import state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping


def file_for_inside(environ: Mapping[str, str], name: str, data: bytes, mode: int) -> str:
    """Write `data` to a file on this machine, to be bind-mounted into sandboxes, and return its path.

    The path depends on a digest of the content, so a file that is already mounted somewhere is never changed.

    :param mode: the permission bits of the file
    :raises EnvironmentFailure: it cannot be written
    """
    folder = hashlib.sha256(data).hexdigest()[:16]
    # A link on the way to a mount is refused: the engine would follow it.
    path = os.path.join(os.path.realpath(state_folder(environ)), "inside", folder, name)
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        write_atomic(path, data, mode)
        os.chmod(path, mode)  # another user reads it inside, whatever our umask
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write `{path}`, which the sandbox reads: {(error.strerror or str(error)).lower()}",
            "make room there, or correct the permissions of that folder",
        ) from None
    return path
