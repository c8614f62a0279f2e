"""The surroundings of a Pod (its node, gateway, neighbours, name server), as the API server tells them.

What the user may not read is left empty.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.backends.kubernetes import api, failures, gateway_pods, logs, waiting
from sandboxd.errors import SandboxdError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.backends.kubernetes.api import Cluster, Kind

_MOST_NEIGHBOURS = 8
_NAME_SERVERS = (("kube-dns", "kube-system"), ("dns-default", "openshift-dns"))
_USUAL_NUMBER = 10
"""The number of the name server's address in the range of Services that kubeadm and most clouds give it."""
_GATEWAY_CONTAINER = "gateway"
_LINES = "5000"
_CONTAINERS = (
    ("containers", "container"),
    ("initContainers", "init container"),
    ("ephemeralContainers", "ephemeral container"),
)
"""All share the Pod's network, and may share its processes and volumes."""


class Node(NamedTuple):
    """A node of the cluster; '' for what the user may not read."""

    name: str
    address: str
    boot_id: str
    runtime: str
    kernel: str
    state: str = ""
    """``ready``, ``cordoned``, or ``not ready`` with the reason."""


class Gateway(NamedTuple):
    """The gateway of a sandbox.

    `address` is that of its Service; `pod` the name of the Pod that serves, '' where none is ready; `policy` the text
    of its policy, '' where it cannot be read.
    """

    address: str
    pod: str
    policy: str


Place = tuple[str, int]


def node_of(cluster: Cluster, pod: Mapping[str, Any]) -> Node:
    """The node that a Pod runs on."""
    name = str((pod.get("spec") or {}).get("nodeName") or "")
    address = str((pod.get("status") or {}).get("hostIP") or "")
    document = (_read(cluster, api.NODE, name) if name else None) or {}
    info = (document.get("status") or {}).get("nodeInfo") or {}
    version = str(info.get("containerRuntimeVersion") or "")
    return Node(
        name,
        address,
        str(info.get("bootID") or ""),
        version,
        str(info.get("kernelVersion") or ""),
        _state_of_node(document) if document else "",
    )


def _state_of_node(document: Mapping[str, Any]) -> str:
    conditions = (document.get("status") or {}).get("conditions") or ()
    ready: Mapping[str, Any] = next((c for c in conditions if c.get("type") == "Ready"), {})
    if ready.get("status") != "True":
        why = ready.get("message") or ready.get("reason") or "it reports no state"
        return f"not ready: {' '.join(str(why).split())[:300]}"
    return "cordoned" if (document.get("spec") or {}).get("unschedulable") else "ready"


def handler_of(cluster: Cluster, runtime_class: str) -> str:
    """The handler of a RuntimeClass; '' where it cannot be read."""
    document = _read(cluster, api.RUNTIME_CLASS, runtime_class) if runtime_class else None
    return str((document or {}).get("handler") or "")


def gateway_of(cluster: Cluster, name: str) -> Gateway | None:
    """The gateway of the sandbox `name`; None where it has none.

    :raises EnvironmentFailure: it cannot be told which Pod it is
    """
    service = cluster.get(api.SERVICE, f"{name}-gateway")
    if service is None:
        return None
    pod = gateway_pods.running(cluster, name)
    policy = _read(cluster, api.CONFIG_MAP, f"{name}-gateway-policy") or {}
    return Gateway(
        str((service.get("spec") or {}).get("clusterIP") or ""),
        str(pod["metadata"]["name"]) if pod is not None and _is_ready(pod) else "",
        str((policy.get("data") or {}).get("policy.json") or ""),
    )


def neighbours(cluster: Cluster, name: str) -> list[Place]:
    """(address, port) of other Pods in the namespace whose readiness probe succeeds there.

    :param name: the name of the sandbox's own Pod, which is left out
    """
    places = [
        place
        for pod in cluster.list(api.POD)
        if pod["metadata"]["name"] != name and _is_ready(pod)
        for place in _probed(pod)
    ]
    return list(dict.fromkeys(places))[:_MOST_NEIGHBOURS]


def api_server(cluster: Cluster) -> list[Place]:
    """The (address, port) at which Pods reach the API server; [] where the user may not read it."""
    service = _read(cluster, api.SERVICE, "kubernetes", "default") or {}
    spec = service.get("spec") or {}
    ports = [int(each["port"]) for each in spec.get("ports") or () if "port" in each]
    address = str(spec.get("clusterIP") or "")
    return [(address, port) for port in ports[:1] if address not in ("", "None")]


def name_servers(cluster: Cluster, server: list[Place]) -> list[str]:
    """The addresses of the cluster's name server.

    :param server: as `api_server` returns it. Without the right to read the name server's Service, the usual address
        in the same range is returned; [] where that range is not known
    """
    for name, namespace in _NAME_SERVERS:
        service = _read(cluster, api.SERVICE, name, namespace)
        address = str(((service or {}).get("spec") or {}).get("clusterIP") or "")
        if address not in ("", "None"):
            return [address]
    return [usual for address, _ in server for usual in _usual_name_server(address)]


def _usual_name_server(address: str) -> Iterator[str]:
    """The usual address of the name server, by that of the API server, which is the first of the range of Services;
    nothing if `address` is none.
    """
    with contextlib.suppress(ValueError):
        place = ipaddress.ip_address(address)
        yield str(place - int(place) % 256 + _USUAL_NUMBER)


def gateway_events(cluster: Cluster, pod: str) -> list[dict[str, Any] | None] | None:
    """The latest events in a gateway's log about requests for names, with None for one that was cut; None where the
    log cannot be read.

    :param pod: the name of the gateway's Pod
    """
    text = bytearray()
    try:
        logs.show(
            cluster, pod, follow=False, tail=_LINES, since=0, write=text.extend,
            container=_GATEWAY_CONTAINER,
        )  # fmt: skip
    except SandboxdError:
        return None
    return list(_lines(text.decode("utf-8", "replace")))


def faults(pod: Mapping[str, Any]) -> dict[str, str]:
    """Settings in a Pod's spec that disable a control, for a person, by the name of the escape attempt that would
    succeed.
    """
    spec = pod.get("spec") or {}
    openings = {}
    shared = [key for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    if shared:
        openings["pod-host-namespaces"] = f"the Pod has `{', '.join(shared)}`"
    sources = [s for v in spec.get("volumes") or () for s in (v.get("projected") or {}).get("sources") or ()]  # fmt: skip
    if any("serviceAccountToken" in source for source in sources):
        openings["pod-service-account"] = "a volume of the Pod has a service account's token"
    if powers := _powers(spec):
        openings["pod-capabilities"] = powers
    return openings


def _powers(spec: Mapping[str, Any]) -> str:
    """The container of a Pod that is privileged, else the one that has capabilities, in words; '' for none."""
    capable = ""
    for key, title in _CONTAINERS:
        for container in spec.get(key) or ():
            context = container.get("securityContext") or {}
            added = (context.get("capabilities") or {}).get("add") or ()
            if context.get("privileged"):
                return f"the {title} `{container['name']}` is privileged"
            if added and not capable:
                capable = f"the {title} `{container['name']}` has {', '.join(map(str, added))}"
    return capable


def _probed(pod: Mapping[str, Any]) -> Iterator[Place]:
    """Ports of a Pod that its readiness probes have an answer from."""
    address = str((pod.get("status") or {}).get("podIP") or "")
    for container in (pod.get("spec") or {}).get("containers") or ():
        probe = container.get("readinessProbe") or {}
        action = probe.get("httpGet") or probe.get("tcpSocket") or probe.get("grpc") or {}
        port = action.get("port")
        named = {each.get("name"): each.get("containerPort") for each in container.get("ports") or ()}  # fmt: skip
        port = named.get(port, port)
        if address and ":" not in address and isinstance(port, int):
            yield address, port


def _is_ready(pod: Mapping[str, Any]) -> bool:
    return waiting.is_ready(pod) and "deletionTimestamp" not in pod["metadata"]


def _lines(text: str) -> Iterator[dict[str, Any] | None]:
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            # Other lines are the interpreter's, which writes there, too.
            if line.startswith("{"):
                yield None
            continue
        if isinstance(event, dict):
            yield event


def _read(cluster: Cluster, kind: Kind, name: str, namespace: str = "") -> dict[str, Any] | None:
    """The object; None where there is none, or the user may not read it."""
    try:
        return cluster.get(kind, name, namespace)
    except failures.Refused as error:
        if error.code == 403:
            return None
        raise
