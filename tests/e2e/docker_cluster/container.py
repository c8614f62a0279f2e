"""A container of a Pod as the engine is asked for it: what a kubelet and its runtime make of the Pod's words."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tests.e2e.docker_cluster.store import Object

NODE = "10.244.0.1"
"""The address of the node."""

RUNTIMES = {"runc": "runc", "runsc": "runsc-sandboxd"}
"""The handlers of RuntimeClasses, and the runtimes of the private engine."""

_VARIABLE = re.compile(r"\$(\$|\(([^)]*)\))")


class NotMade(Exception):
    """Why no container can be made of the Pod: a reason as in `state.waiting`, and a message."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Surroundings(NamedTuple):
    """What the node adds: the image's own user, where volumes are, who answers for names."""

    image_user: str
    sandbox: str
    """The container whose network the Pod has."""
    runtime: str
    mounts: list[dict[str, Any]]
    """By the engine's words."""
    seccomp: str
    """The filter of `Localhost`, as JSON; '' for the engine's own."""
    address: str
    container: Object
    """The one of the Pod's containers that is to be made."""
    links: dict[str, str]
    """The variables of Services, where the Pod wants them."""


def body(pod: Object, around: Surroundings) -> dict[str, Any]:
    """The body of the engine's `POST /containers/create`.

    :raises NotMade: the Pod forbids what its image wants
    """
    container = around.container
    context = {**pod["spec"]["securityContext"], **container.get("securityContext", {})}
    variables = dict(around.links)
    for entry in container.get("env", ()):
        variables[entry["name"]] = _value(entry, pod, around, variables)
    result: dict[str, Any] = {
        "Image": container["image"],
        "User": _user(context, around.image_user),
        "Env": [f"{name}={value}" for name, value in variables.items()],
        "Labels": {"pod": pod["metadata"]["name"]},
        "HostConfig": _host_config(pod, container, context, around),
    }
    if "command" in container:
        result["Entrypoint"] = [_expand(word, variables) for word in container["command"]]
        result["Cmd"] = []
    if "args" in container:
        result["Cmd"] = [_expand(word, variables) for word in container["args"]]
    if "workingDir" in container:
        result["WorkingDir"] = container["workingDir"]
    return result


def _user(context: dict[str, Any], image_user: str) -> str:
    if "runAsUser" in context:
        group = f":{context['runAsGroup']}" if "runAsGroup" in context else ""
        if context["runAsUser"] == 0 and context.get("runAsNonRoot"):
            raise NotMade(
                "CreateContainerConfigError",
                "container's runAsUser breaks non-root policy",
            )
        return f"{context['runAsUser']}{group}"
    if context.get("runAsNonRoot"):
        name = image_user.partition(":")[0]
        if name in ("", "0", "root"):
            raise NotMade("CreateContainerConfigError", "container has runAsNonRoot and image will run as root")  # fmt: skip
        if not name.isdigit():
            raise NotMade("CreateContainerConfigError", f"container has runAsNonRoot and image has non-numeric user ({name}), cannot verify user is non-root")  # fmt: skip
    return image_user


def _host_config(
    pod: Object, container: Object, context: dict[str, Any], around: Surroundings
) -> dict[str, Any]:
    options = ["no-new-privileges"] if context.get("allowPrivilegeEscalation") is False else []
    kind = context.get("seccompProfile", {}).get("type", "Unconfined")
    if kind == "Unconfined":
        options.append("seccomp=unconfined")
    elif kind == "Localhost":
        options.append(f"seccomp={around.seccomp}")
    limits = container["resources"].get("limits", {})
    memory = _quantity(str(limits.get("memory", "0")))
    capabilities = context.get("capabilities", {})
    group = pod["spec"]["securityContext"].get("fsGroup")
    return {
        "NetworkMode": f"container:{around.sandbox}",
        "Privileged": context.get("privileged", False),
        "PidMode": "host" if pod["spec"].get("hostPID") else "",
        "IpcMode": "host" if pod["spec"].get("hostIPC") else "private",
        "Runtime": around.runtime,
        "CapDrop": capabilities.get("drop", []),
        "CapAdd": capabilities.get("add", []),
        "SecurityOpt": options,
        "ReadonlyRootfs": context.get("readOnlyRootFilesystem", False),
        "Memory": int(memory),
        "MemorySwap": int(memory),
        "NanoCpus": int(_quantity(str(limits.get("cpu", "0"))) * 1e9),
        "GroupAdd": [str(group)] if group is not None else [],
        "Mounts": around.mounts,
    }


_UNITS = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


def _quantity(text: str) -> float:
    number = text.rstrip("mkKMGi")
    return float(number) * _UNITS.get(text[len(number) :], 1)


def _value(entry: Object, pod: Object, around: Surroundings, known: dict[str, str]) -> str:
    source = entry.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath", "")
    if not source:
        return _expand(entry.get("value", ""), known)
    fields: dict[str, str] = {
        "status.podIP": around.address,
        "status.hostIP": NODE,
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"]["namespace"],
        "spec.nodeName": "node-1",
    }
    return fields[source]


def _expand(text: str, variables: dict[str, str]) -> str:
    """`$(NAME)` is a variable where there is one, `$$` a dollar sign."""

    def one(match: re.Match[str]) -> str:
        return "$" if match[1] == "$" else variables.get(match[2], match[0])

    return _VARIABLE.sub(one, text)
