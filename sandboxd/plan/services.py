"""The other services of a Compose project that `sandboxd up` starts with the workspace, behind the same gateway.

Decision 45 says what such a service gets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandboxd.model.container import Container
from sandboxd.model.control_name import ControlName
from sandboxd.plan import service_names, service_rights
from sandboxd.plan.service import Need, Service
from sandboxd.plan.service_reading import network_owner
from sandboxd.plan.service_reading import read as read_service
from sandboxd.plan.sidecars import weakness

if TYPE_CHECKING:
    from sandboxd.formats.compose.project import Project
    from sandboxd.plan.notes import Notes
    from sandboxd.plan.workspace import WorkspaceFacts


def read(
    project: Project, sidecars: Iterable[Container], workspace_service: str
) -> tuple[Service, ...]:
    """Read the services `sidecars`, sorted by name.

    :param workspace_service: the name of the workspace's own service
    """
    own = project.services.get(workspace_service)
    shared = network_owner(own) if own is not None else ""
    services = []
    for sidecar in sorted(sidecars, key=lambda each: each.name):
        if sidecar.name in project.services:
            service = read_service(project.services[sidecar.name], sidecar, workspace_service)
            services.append(service._replace(shares=True) if sidecar.name == shared else service)
    return tuple(services)


def choose(
    services: tuple[Service, ...],
    names: tuple[tuple[str, str], ...],
    gvisor: bool,
    workspace: WorkspaceFacts,
    notes: Notes,
) -> tuple[Service, ...]:
    """The services that `up` starts, in the order of `in_order`; for the others a downgrade with the reason is noted.

    :param names: (DNS name, name of the service that it resolves to)
    :param gvisor: whether they run in gVisor, where sandboxes cannot share a network stack
    """
    known, chosen = dict(names), dict[str, Service]()
    for service in services:
        written = service.container.name
        why = weakness(_with_copies(service.container), workspace) or service.obstacle
        if not why and service.name in chosen:
            why = f"is called as `{chosen[service.name].container.name}` is"
        if not why and service.name not in known:
            why = f"is one of more than {service_names.MOST}"
        if not why:
            why = service_rights.surplus(service.container)
        if why:
            notes.downgrade(
                ControlName.SERVICE,
                f"`{written}` {why}: `sandboxd up` does not start it",
                "take that out of its Compose file, or start the service by other means",
            )
            continue
        elsewhere = service_names.elsewhere(service, names)
        rights = service_rights.without_effect(service.container)
        for words in (*service.without, *elsewhere, *rights):
            notes.downgrade(ControlName.SERVICE, f"`{written}`: {words}")
        chosen[service.name] = _confined(service, gvisor, notes)
    service_rights.say(chosen.values(), notes)
    return in_order(chosen.values())


def in_order(services: Iterable[Service]) -> tuple[Service, ...]:
    """`services`, each after those that it needs; those in a cycle come last."""
    waiting = {service.container.name: service for service in services}
    ordered: list[Service] = []
    while waiting:
        ready = [
            name
            for name, service in waiting.items()
            if not any(need.service in waiting for need in service.needs)
        ]
        for name in ready or list(waiting):
            ordered.append(waiting.pop(name))
    return tuple(ordered)


def unmet(service: Service, names: Iterable[str]) -> Need | None:
    """The first required need of `service` that is not among `names`; None if there is none.

    :param names: of services, as the Compose file writes them
    """
    present = set(names)
    lacking = (need for need in service.needs if need.is_required and need.service not in present)
    return next(lacking, None)


def _with_copies(container: Container) -> Container:
    """`container` as it is judged: its mounts of project files are copies, which cannot be written to."""
    return container._replace(
        mounts=tuple(
            value._replace(value=value.value._replace(read_only=True))
            if value.value.type == "bind"
            else value
            for value in container.mounts
        )
    )


def _confined(service: Service, gvisor: bool, notes: Notes) -> Service:
    """`service` with the privileges that it keeps, each of which is noted."""
    written = service.container.name
    if service.files:
        paths = ", ".join(f"`{file.path}`" for file in service.files)
        notes.downgrade(
            ControlName.SERVICE,
            f"`{written}` has a copy of {paths}, as of its start: what it writes there does not come back",
        )
    if service.shares and gvisor:
        notes.downgrade(
            ControlName.SERVICE,
            f"`{written}` is not at `localhost`: no two sandboxes share a network in gVisor",
            f'reach it as `{service.name}`; or set `runtime = "runc"` in sandboxd.toml',
        )
    return service._replace(
        capabilities=service_rights.capabilities(service.container),
        shares=service.shares and not gvisor,
    )
