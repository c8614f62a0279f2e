"""Pod Security `restricted`, written down from its page and not from our rules: what a Pod breaks of it.

https://kubernetes.io/docs/concepts/security/pod-security-standards/, as of Kubernetes 1.35.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip
_SECCOMP = {"RuntimeDefault", "Localhost"}


def broken(spec: dict[str, Any]) -> list[str]:
    """What `spec`, of a Pod, breaks; [] for nothing."""
    return [
        *_of_pod(spec),
        *(
            each
            for container in (*spec.get("initContainers", ()), *spec["containers"])
            for each in _of(container, spec)
        ),
    ]


def _of_pod(spec: dict[str, Any]) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC", "ephemeralContainers"):
        if spec.get(key):
            yield key
    for volume in spec.get("volumes", ()):
        if not (volume.keys() - {"name"}) <= _VOLUMES:
            yield f"volume {volume['name']}"
    context = spec.get("securityContext", {})
    for key in ("windowsOptions", "seLinuxOptions", "sysctls", "appArmorProfile"):
        if context.get(key):
            yield key


def _of(container: dict[str, Any], spec: dict[str, Any]) -> Iterator[str]:
    own = container.get("securityContext", {})
    both = {**spec.get("securityContext", {}), **own}
    for key in ("privileged", "procMount", "windowsOptions", "seLinuxOptions", "appArmorProfile"):
        if own.get(key):
            yield key
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if both.get("runAsNonRoot") is not True:
        yield "runAsNonRoot"
    if both.get("runAsUser") == 0:
        yield "runAsUser"
    if both.get("seccompProfile", {}).get("type") not in _SECCOMP:
        yield "seccompProfile"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", ()):
        yield "capabilities.drop"
    if not set(capabilities.get("add", ())) <= {"NET_BIND_SERVICE"}:
        yield "capabilities.add"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield "hostPort"
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(probe, {}).get("httpGet", {}).get("host"):
            yield f"{probe}.httpGet.host"
