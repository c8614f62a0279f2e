"""The file by which programs inside find the gateway as their name server."""

from __future__ import annotations

import contextlib
import os

from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.files import write_atomic
from sandboxd.folders import state_folder, workspace_file
from sandboxd.plan import inner_network


def ensure(workspace: str, address: str) -> str:
    """Write a resolv.conf that names only the gateway, unless it is there with that content; return its path.

    :param workspace: the sandbox's identity
    :param address: the IPv4 address of the gateway on the inner network
    :raises EnvironmentFailure: it cannot be written
    """
    path = _path(workspace)
    text = inner_network.resolv_conf(address).encode()
    try:
        with open(path, "rb") as file:
            if file.read() == text:
                return path
    except OSError:
        pass
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_atomic(path, text, 0o644)
    except (OSError, SandboxdError) as error:
        raise EnvironmentFailure(
            f"cannot write `{path}`, which names the gateway to the sandbox: {error}",
            "make room there, or set XDG_STATE_HOME to a folder that you can write",
        ) from None
    return path


def remove(workspace: str) -> None:
    """Remove the resolv.conf of a sandbox whose network is gone.

    :param workspace: the sandbox's identity
    """
    with contextlib.suppress(OSError):
        os.unlink(_path(workspace))


def _path(workspace: str) -> str:
    # A link on the way to a mount is refused: the engine would follow it.
    folder = os.path.realpath(os.path.join(state_folder(os.environ), "resolv"))
    return workspace_file(folder, workspace, ".conf")
