"""Writes the other services of a Compose project into the override file, confined as `sandboxd up` confines them.

They stay under the engine's own runtime and on Compose's networks: under gVisor they could not use Compose's name
server, and so would not find each other. Their mounts stay as the project writes them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sandboxd.plan.service_reading import size

if TYPE_CHECKING:
    from sandboxd.model.values import Value
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.service import Condition, Service

_CONDITIONS: dict[Condition, str] = {
    "started": "service_started",
    "healthy": "service_healthy",
    "completed": "service_completed_successfully",
}


def lines(plan: Plan, seccomp: str) -> list[str]:
    """The lines of the services that `up` starts, indented by two spaces; [] for none.

    :param seccomp: the path of the plan's seccomp profile, relative to the file in which Compose resolves it; '' for
        none
    """
    result = []
    for service in plan.services:
        result.append(f"  {_text(service.container.name)}:")
        result += [
            f"    {key}: {value}" for key, value in _settings(service, plan, seccomp).items()
        ]
    return result


def needs(plan: Plan) -> dict[str, dict[str, object]]:
    """The value of `depends_on` for the workspace's service: those of its needs that `up` starts as well."""
    names = {service.container.name for service in plan.services}
    entries = plan.compose.needs if plan.compose is not None else ()
    return {
        need.service: {"condition": _CONDITIONS[need.condition], "required": need.is_required}
        for need in entries
        if need.service in names
    }


def _settings(service: Service, plan: Plan, seccomp: str) -> dict[str, str]:
    container, workspace = service.container, plan.container
    options = ["no-new-privileges=true"]
    if seccomp and not plan.gvisor:
        options.append(f"seccomp={seccomp}")
    if apparmor := workspace.option("apparmor"):
        options.append(f"apparmor={apparmor.value.value}")
    settings = {
        "cap_drop": _list(["ALL"]),
        "cap_add": _list(list(service.capabilities)),
        "security_opt": _list(options),
    }
    # Compose refuses a limit that is said in both ways.
    if workspace.memory is not None and not _is_of_deploy(container.memory):
        own = size(container.memory.value) if container.memory is not None else None
        most = size(workspace.memory.value) or 0
        settings["mem_limit"] = _text(min(own or most, most))
    if workspace.pids_limit is not None and not _is_of_deploy(container.pids_limit):
        most = workspace.pids_limit.value
        own = container.pids_limit.value if container.pids_limit is not None else 0
        settings["pids_limit"] = _text(min(own, most) if own > 0 else most)
    return settings


def _is_of_deploy(value: Value[str] | Value[int] | None) -> bool:
    return value is not None and value.origin.key == "deploy"


def _list(items: list[str]) -> str:
    """A list that replaces the one in the project's own files."""
    return f"!override {_text(items)}" if items else "!reset []"


def _text(value: object) -> str:
    """A string for the override file. JSON is YAML; a dollar sign would start a variable."""
    return json.dumps(value, ensure_ascii=False).replace("$", "$$")
