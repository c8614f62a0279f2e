"""A Compose project as a plan uses it: which service is the workspace, and which others run with it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import NamedTuple

from sandboxd.config.values import takes_from_host
from sandboxd.egress.names import NotAName, normal
from sandboxd.formats import compose
from sandboxd.formats.compose.project import Project
from sandboxd.formats.compose.project import Service as Written
from sandboxd.formats.resolved.flavour import compose_paths
from sandboxd.formats.resolved.variables import Variables
from sandboxd.model.container import Build, Container
from sandboxd.model.control_name import ControlName
from sandboxd.model.document import Document
from sandboxd.model.paths import lies_in
from sandboxd.plan import service_health, service_names, services
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.plan.service import Need, Service
from sandboxd.plan.sidecars import weakness
from sandboxd.plan.workspace import WorkspaceFacts
from sandboxd.syntax import yaml
from sandboxd.syntax.node import Node


class ComposeProject(NamedTuple):
    """The Compose project of which the workspace is a service.

    `files` are paths within the workspace, in Compose's order; `run_services` is None if all services run.
    """

    service: str
    files: tuple[str, ...]
    sidecars: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    run_services: tuple[str, ...] | None = None
    foreign_networks: tuple[str, ...] = ()
    """Names of networks that are not a bridge network of this project alone; `default` may be among them."""
    build: Build | None = None
    services: tuple[Service, ...] = ()
    """The other services that start with the workspace, as `sandboxd up` would start them."""
    names: tuple[tuple[str, str], ...] = ()
    """(DNS name, name of the service that it resolves to), for all services and the workspace."""
    own_name: str = ""
    """The workspace's own DNS name; '' if it has none."""
    needs: tuple[Need, ...] = ()
    """The states that other services must have reached before anything of the project runs in the workspace."""


def compose_project(
    document: Document, base: Container, variables: Variables
) -> ComposeProject | None:
    """The Compose project that a hand-written devcontainer.json names; None if it names none."""
    root = document.tree.root
    if root is None or root.kind != "object" or root.get("dockerComposeFile") is None:
        return None
    variables = variables.for_file(document.source.path)
    paths = compose_paths(document, variables)
    workspace = variables.workspace or posixpath.dirname(document.source.path)
    service = root.get("service")
    name = service.text() if service is not None else None
    run = root.get("runServices")
    read = compose.project_of(paths, document.source.path, variables)
    service_parts = read.services.get(name or "")
    networks = service_parts.last("networks") if service_parts is not None else None
    network_names = _names(networks.node) if networks is not None else ()
    foreign = tuple(n for n in dict.fromkeys((*network_names, "default")) if _is_foreign(read, n))
    others = services.read(read, base.sidecars, name or "")
    own = _own_service(service_parts, base, others)
    known = service_names.table(others, own)
    return ComposeProject(
        service=name or "",
        files=tuple(posixpath.relpath(path, workspace) for path in paths),
        sidecars=tuple(sidecar.name for sidecar in base.sidecars),
        networks=tuple(name for name in network_names if name not in foreign),
        foreign_networks=foreign,
        run_services=tuple(t for item in run.items if (t := item.text()))
        if run is not None and run.kind == "array"
        else None,
        build=base.build.value if base.build is not None else None,
        services=others,
        names=known,
        own_name=own.name if own is not None and own.name in dict(known) else "",
        needs=_needs(service_parts),
    )


def _own_service(
    written: Written | None, base: Container, others: tuple[Service, ...]
) -> Service | None:
    """The workspace as a service that others can reach; None where it shares the address of one of them."""
    if written is None or any(service.shares for service in others):
        return None
    try:
        name = normal(written.name)
    except NotAName:
        return None
    if any(service.name == name for service in others):
        return None
    return Service(name, base, aliases=service_names.called(written).names)


def _needs(service: Written | None) -> tuple[Need, ...]:
    try:
        return service_health.needs(service) if service is not None else ()
    except ValueError:
        # `check` names it; Compose itself refuses such a file.
        return ()


def _is_foreign(project: Project, network: str) -> bool:
    """Whether a network is the host's, another project's, or a part of the LAN."""
    driver, name = (_option(project, network, key) for key in ("driver", "name"))
    external = any(
        yaml.get(part.node, "external") is not None
        and part.file.text(yaml.get(part.node, "external")) != "false"
        for part in project.top["networks"].get(network, ())
    )
    return external or driver not in ("", "default", "bridge") or name in ("host", "none")


def _option(project: Project, network: str, key: str) -> str:
    entry = project.top_value("networks", network, key)
    return "" if entry is None else entry[1].resolve(entry[1].text(entry[0]) or "")


def _names(node: Node) -> tuple[str, ...]:
    node = yaml.target(node)
    if node.kind == "array":
        return tuple(text for item in node.items if (text := yaml.target(item).text()))
    return tuple(str(key.value) for key, _ in yaml.members(node)) if node.kind == "object" else ()


def beside(
    project: ComposeProject,
    profile: Profile,
    no_network: bool,
    has_gateway: bool,
    gvisor: bool,
    base: Container,
    workspace: WorkspaceFacts,
    notes: Notes,
) -> ComposeProject:
    """The project with the services that the profile lets run with the workspace; notes what Compose does beyond the
    plan.

    Its `services` are those that `sandboxd up` starts; none without a gateway.
    """
    weaknesses = ((sidecar.name, weakness(sidecar, workspace)) for sidecar in base.sidecars)
    weak = {name: why for name, why in weaknesses if why}
    # A profile that needs a sandbox starts nothing that has the host beside it.
    open_files = _written_from_inside(project, workspace) if profile.access == "rw" else ()
    alone = bool(weak or open_files) and profile.gvisor == "required" and bool(base.sidecars)
    chosen = (
        services.choose(project.services, project.names, gvisor, workspace, notes)
        if has_gateway and not alone
        else ()
    )
    project = project._replace(services=chosen)
    _say(project, no_network, base, weak, alone, notes)
    if open_files and not alone:
        names = ", ".join(f"`{name}`" for name in open_files)
        notes.downgrade(
            ControlName.COMPOSE_FILES,
            f"{names} can be written from inside, and an editor starts what it says the next time",
            "move it into `.devcontainer`, which is read-only inside",
        )
    return project._replace(run_services=(project.service,)) if alone else project


def _written_from_inside(project: ComposeProject, workspace: WorkspaceFacts) -> tuple[str, ...]:
    """Files of the project that no pin covers, so that they can be changed from inside after they were judged."""
    pinned = workspace.existing_control_files
    return tuple(file for file in project.files if not any(lies_in(file, path) for path in pinned))


def _say(
    project: ComposeProject,
    no_network: bool,
    base: Container,
    weak: dict[str, str],
    alone: bool,
    notes: Notes,
) -> None:
    if project.foreign_networks:
        names = ", ".join(f"`{name}`" for name in project.foreign_networks)
        notes.downgrade(
            ControlName.NETWORKS,
            f"{names}: the host's, another project's or the LAN's, so the sandbox is not in it",
        )
    for name, why in weak.items():
        notes.downgrade(
            ControlName.WEAK_SERVICE,
            f"`{name}` {why}: not started with the sandbox"
            if alone
            else f"`{name}` {why}: started beside the sandbox, it can act upon the host",
            f"take that out of `{name}` in its Compose file"
            + ("" if alone else ", or name in `runServices` only what you need"),
            of_other_tools=not alone,
        )
    if alone:
        notes.downgrade(
            ControlName.OTHER_SERVICES,
            "none is started: one has the host, starts one that has, or can be given it from inside",
        )
    elif project.sidecars:
        _say_what_compose_starts(project, no_network, notes)
    if base.build is not None:
        for argument in base.build.value.args:
            if _from_host(argument.value.value):
                notes.leave_out(argument, "it copies a variable of the host into the image")


def _say_what_compose_starts(project: ComposeProject, no_network: bool, notes: Notes) -> None:
    """Note what an editor's Compose starts beside the sandbox, and with which privileges."""
    confined = {service.container.name for service in project.services}
    others = [name for name in project.sidecars if name not in confined]
    unreached = " and cannot be reached, since the sandbox has no network" if no_network else ""
    if confined:
        notes.downgrade(
            ControlName.OTHER_SERVICES,
            f"{_quoted(sorted(confined))}: an editor's Compose starts them under the engine's own runtime and "
            "outside the gateway, with the rights and limits that `sandboxd up` gives them",
            "`sandboxd up` starts them within the network of the sandbox, and under its runtime",
            of_other_tools=True,
        )
    if others:
        notes.downgrade(
            ControlName.OTHER_SERVICES,
            f"{_quoted(others)}: Compose starts them as they are written, outside the sandbox{unreached}",
            "`sandboxd check` judges them; `sandboxd up` starts none of them",
            of_other_tools=bool(confined),
        )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def without_host_variables(base: Container, notes: Notes) -> Container:
    """`base` without the environment variables whose values Compose would take from the host's environment."""
    values = []
    for value in base.env:
        if value.origin.key == "env_file":
            continue
        if value.origin.kind == "compose" and _from_host(value.value.value):
            notes.leave_out(value, "it copies a variable of the host, maybe a secret")
        else:
            values.append(value)
    for file in base.env_files:
        notes.leave_out(file, "what it holds is not known; name variables in `[environment]`")
    return base._replace(env=tuple(values))


def _from_host(text: str) -> bool:
    return takes_from_host(text) or "$" in text.replace("$$", "")


def build_arguments(build: Build) -> dict[str, str]:
    """The build arguments of `build` whose values are known without the host's environment."""
    return {a.value.name: a.value.value for a in build.args if not _from_host(a.value.value)}
