"""Stores the subnet of each project's inner network, before the network is made and after it was removed.

Generated files contain the gateway's address, so a project keeps its subnet. Each has a file in the user's state
folder; the network that the engine really has takes precedence, as others may use the addresses.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from sandboxd.egress import layout
from sandboxd.errors import SandboxdError
from sandboxd.files import write_private
from sandboxd.folders import state_folder, workspace_file

_LONGEST = 64


def subnet_of(environ: Mapping[str, str], workspace: str) -> str:
    """The subnet for the network of `workspace`, in CIDR notation: the stored one, else a free one chosen by its
    path.

    One that no other project has, as long as there are free ones.
    """
    path = _path(environ, workspace)
    every = layout.subnets()
    own = _read(path)
    if own in every:
        return own
    number = int(os.path.basename(path), 16)
    first = layout.subnets_of(layout.POOLS[0])
    rest = every[len(first) :]
    in_use = _of_all(os.path.dirname(path))
    for some in (first, rest):
        begin = number % len(some)
        for subnet in (*some[begin:], *some[:begin]):
            if subnet not in in_use:
                return subnet
    return rest[number % len(rest)]


def note(environ: Mapping[str, str], workspace: str, subnet: str) -> None:
    """Store `subnet` for `workspace`. If it cannot be written, `subnet_of` keeps returning the old one."""
    path = _path(environ, workspace)
    with contextlib.suppress(OSError, SandboxdError):
        write_private(path, f"{subnet}\n".encode())


def forget(environ: Mapping[str, str], workspace: str) -> None:
    """Release the subnet of `workspace` for other projects."""
    with contextlib.suppress(OSError):
        os.unlink(_path(environ, workspace))


def _of_all(folder: str) -> set[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return set()
    return {_read(os.path.join(folder, name)) for name in names}


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read(_LONGEST).strip()
    except OSError:
        return ""


def _path(environ: Mapping[str, str], workspace: str) -> str:
    return workspace_file(os.path.join(state_folder(environ), "subnets"), workspace, "")
