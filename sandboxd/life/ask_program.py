"""The program `sandboxd-ask`, as a file that is bind-mounted into a sandbox."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd import egress
from sandboxd.files import read_bytes
from sandboxd.state.inside_files import file_for_inside

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
