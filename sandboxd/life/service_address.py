"""The address by which a project's workspace reaches one of its services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.engine import failures
from sandboxd.life import services
from sandboxd.plan.container_name import container_name

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine


def address_of(engine: Engine, workspace: str, service: str) -> str:
    """The IPv4 address of a project's running service; '' if the service shares the network of the workspace.

    :param workspace: the sandbox's identity
    :param service: the service's DNS name
    :raises ContainerGone: it does not run
    """
    name = services.name_of(workspace, service)
    for container in services.find(engine, workspace):
        if container.name == name and container.state == "running":
            break
    else:
        raise failures.ContainerGone(
            f"no service `{service}` runs beside the sandbox",
            "`sandboxd up` starts the services of its Compose files, and names those that it does not start",
        )
    inspected = engine.inspect(container.id)
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    return str((networks.get(container_name(workspace)) or {}).get("IPAddress") or "")
