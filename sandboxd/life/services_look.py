"""Checks whether a project's other services run and are confined as `sandboxd up` does it, for a row of `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.life import services
from sandboxd.life.service_wait import failure, last_words
from sandboxd.model import capabilities
from sandboxd.model.labels import EGRESS, PROJECT, RESOLV_CONF
from sandboxd.observe import host_process, inspection
from sandboxd.observe.control import Control
from sandboxd.plan import service_rights
from sandboxd.plan.container_name import container_name

if TYPE_CHECKING:
    from sandboxd.engine.client import Engine
    from sandboxd.model.container import Container
    from sandboxd.model.engine_answers import Inspected

NAME = "services"

_OF_HOST = (
    "DeviceCgroupRules",
    "DeviceRequests",
    "Devices",
    "PidMode",
    "PortBindings",
    "UTSMode",
    "UsernsMode",
    "VolumesFrom",
)


def with_services(
    engine: Engine, controls: tuple[Control, ...], inspected: Inspected
) -> tuple[Control, ...]:
    """Return `controls`, with one added for the sandbox's other services if it has any.

    :param inspected: the sandbox's container, as the engine describes it
    """
    sandbox = inspection.container(inspected)
    if not sandbox.label(EGRESS):
        return controls
    control = look(engine, sandbox, str(inspected.get("Id") or ""))
    return controls if control is None else (*controls, control)


def look(engine: Engine, sandbox: Container, identity: str) -> Control | None:
    """The state of all services of a sandbox as one control; None if it has none.

    :param identity: the id of the sandbox's container
    """
    workspace = sandbox.label(PROJECT)
    prefix = services.name_of(workspace, "")
    words, faults = [], []
    try:
        for container in sorted(services.find(engine, workspace), key=lambda each: each.name):
            name = container.name.removeprefix(prefix)
            service = engine.inspect(container.id)
            if fault := weakness(service, sandbox, identity) or _sickness(engine, service):
                faults.append(f"`{name}` {fault}")
            words.append(f"`{name}` {_state(service)}")
    except EnvironmentFailure as error:
        return Control(NAME, "not seen", error.message)
    if not words:
        return None
    if faults:
        return Control(NAME, "not in force", "; ".join(faults))
    return Control(NAME, "in force", f"held as the sandbox is: {', '.join(words)}")


def weakness(inspected: Inspected, sandbox: Container, identity: str) -> str:
    """The first way in which a service is confined less than `up` would confine it, in words; '' for none.

    :param inspected: the service's container, as the engine describes it
    :param identity: the id of the sandbox's container
    """
    live = inspection.container(inspected)
    host = inspected.get("HostConfig") or {}
    if live.is_privileged():
        return "is privileged"
    if {value.value for value in live.cap_drop} != {"ALL"}:
        return "has not all capabilities dropped"
    given = {value.value for value in live.cap_add}
    if surplus := sorted(given - service_rights.at_most(live)):
        return f"has the capability `{surplus[0]}`"
    gains = live.option("no-new-privileges")
    if gains is None or gains.value.value != "true":
        return "can gain privileges"
    for name in ("seccomp", "apparmor"):
        expected, option = sandbox.option(name), live.option(name)
        if (expected and expected.value) != (option and option.value):
            return f"has another `{name}` than the sandbox"
    if (sandbox.runtime and sandbox.runtime.value) != (live.runtime and live.runtime.value):
        return "has another runtime than the sandbox"
    if host.get("NetworkMode") not in (
        container_name(sandbox.label(PROJECT)),
        f"container:{identity}",
    ):
        return f"is on the network `{host.get('NetworkMode')}`"
    for mount in live.mounts:
        if mount.value.type == "bind" and mount.value.target != RESOLV_CONF:
            return f"mounts `{mount.value.source}` of the host"
    for key in _OF_HOST:
        if host.get(key):
            return f"has `{key}`"
    if live.ipc is not None and live.ipc.value == "host":
        return "has `IpcMode`"
    return _rights(inspected, given)


def _rights(inspected: Inspected, may: set[str]) -> str:
    """The privileges of its main process on the host's kernel that it should not have; '' also where that is hidden."""
    process = host_process.look(inspected)
    if process is None or host_process.sentry(inspected):
        # In gVisor the host sees its kernel alone, which takes away from what runs in it.
        return ""
    try:
        names = capabilities.names(process.status.get("CapBnd", "0"))
    except ValueError:
        return "has capabilities that cannot be read"
    if surplus := sorted(names - may):
        return f"could gain the capability `{surplus[0]}`"
    if process.status.get("NoNewPrivs") != "1":
        return "can gain privileges"
    return "" if process.status.get("Seccomp") == "2" else "has no seccomp filter"


def _state(inspected: Inspected) -> str:
    state = inspected["State"]
    health = (state.get("Health") or {}).get("Status", "none")
    if state.get("Running"):
        return "runs" if health in ("", "none") else f"is {health}"
    return "has ended"


def _sickness(engine: Engine, inspected: Inspected) -> str:
    state = inspected["State"]
    if state.get("Running"):
        if (state.get("Health") or {}).get("Status") == "unhealthy":
            return f"is unhealthy{last_words(engine, inspected)}"
        return ""
    why = failure(state)
    return f"{why}{last_words(engine, inspected)}" if why else ""
