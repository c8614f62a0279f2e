"""Sockets that programs of the host have made in a workspace: looked for at each status, as they come at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.control import Control
from sandboxd.observe.controls import host_sockets
from sandboxd.plan.workspace import SOCKETS, sockets_near, why_sockets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.model.container import Container


def with_sockets(
    controls: tuple[Control, ...], workspace: str, live: Container
) -> tuple[Control, ...]:
    """`controls`, and one that is not in force where sockets of the workspace can be reached from inside.

    A gVisor opens none of the host.

    :param live: the running container
    """
    if not is_shared(workspace, live) or _is_in_force(host_sockets.NAME, controls):
        return controls
    sockets = sockets_near(workspace)
    if not sockets:
        return controls
    return (*controls, Control(SOCKETS, "not in force", why_sockets(sockets)))


def is_shared(workspace: str, live: Container) -> bool:
    """Whether a running container has the workspace itself, not a copy."""
    return any(
        mount.value.type == "bind" and mount.value.source == workspace for mount in live.mounts
    )


def _is_in_force(name: str, controls: Iterable[Control]) -> bool:
    return any(control.name == name and control.state == "in force" for control in controls)
