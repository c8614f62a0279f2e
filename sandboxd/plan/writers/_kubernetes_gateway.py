"""The objects besides the Pod: the policies for its network, and the gateway that leads to the allowed names."""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
from typing import TYPE_CHECKING, Any

from sandboxd.egress import layout
from sandboxd.egress.pod_policy import for_pod
from sandboxd.egress.wire import policy_to_json
from sandboxd.model.labels import GATEWAY, PROJECT
from sandboxd.plan.writers._pod_security import CONTAINER, POD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.egress.policy import Policy
    from sandboxd.plan.cluster import Cluster
    from sandboxd.plan.plan import Plan

POLICY_FILE = "policy.json"

_USER = 65532
_SECRETS = posixpath.dirname(layout.POD_CREDENTIALS)
_IN_MEMORY = {"medium": "Memory", "sizeLimit": "8Mi"}
_POLICY, _PROGRAM = "/etc/sandboxd/policy", "/opt/sandboxd"
_TCP = {"dns-tcp": layout.POD_DNS_PORT, "proxy": layout.PROXY_PORT, "socks": layout.SOCKS_PORT}

_TLS = 443
"""The port of the services that get a credential."""

_NOT_PUBLIC = (
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
)  # fmt: skip
"""Networks in which the cluster, its nodes and their metadata services may be. The gateway checks each address as well.
"""


def objects(plan: Plan, options: Cluster, name: str, program: bytes) -> list[dict[str, Any]]:
    """All objects in the order to create them: each policy before what it applies to.

    :param name: the name of the sandbox's objects
    :param program: the archive of the gateway's program
    """
    if plan.egress is None:
        return [_network_policy(name, PROJECT, name, [], [])]
    policy = for_pod(plan.egress, keeps_secrets=options.keeps_secrets)
    gateway = f"{name}-gateway"
    inside = _doors(policy)
    to_gateway = {"to": [_pods(GATEWAY, name)], "ports": inside}
    return [
        _network_policy(name, PROJECT, name, [], [to_gateway]),
        *of_policy(policy, name),
        _object(
            "v1", "ConfigMap", f"{gateway}-program", name,
            binaryData={"gateway.zip": base64.b64encode(program).decode("ascii")},
        ),
        _clients(name),
        _service(gateway, name, options.gateway_address),
        _deployment(gateway, name, options, program),
    ]  # fmt: skip


def of_policy(policy: Policy, name: str) -> list[dict[str, Any]]:
    """The objects of the gateway that depend on its policy.

    :param policy: as `for_pod` returned it
    :param name: the name of the sandbox's objects
    """
    gateway = f"{name}-gateway"
    from_sandbox = {"from": [_pods(PROJECT, name)], "ports": _doors(policy)}
    data = {POLICY_FILE: _command(policy)}
    return [
        _network_policy(gateway, GATEWAY, name, [from_sandbox], _ways_out(policy)),
        _object("v1", "ConfigMap", f"{gateway}-policy", name, data=data),
    ]


def _doors(policy: Policy) -> list[dict[str, Any]]:
    """The ports of the gateway that are for the sandbox."""
    ports = (*_TCP.values(), *(port for _, port in policy.credentials))
    tcp = ({"protocol": "TCP", "port": port} for port in ports)
    return [{"protocol": "UDP", "port": layout.POD_DNS_PORT}, *tcp]


def _command(policy: Policy) -> str:
    """A `messages.SetPolicy`, each part of the policy and each rule in one line."""
    fields = policy_to_json(policy)
    rules = [{**rule._asdict(), "pattern": str(rule.pattern)} for rule in policy.rules]
    lines = [
        f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fields.items() if key != "rules"
    ]
    entries = ",\n".join(f"  {json.dumps(rule)}" for rule in rules)
    lines.append(f'"rules": [\n{entries}\n]' if entries else '"rules": []')
    body = ",\n".join(lines)
    return f'{{"op": "policy", "cut": true, "policy": {{\n{body}\n}}}}\n'


def _ways_out(policy: Policy) -> list[dict[str, Any]]:
    """The rules for the gateway's own connections: to the cluster's name servers, and to the ports of the policy."""
    name_servers = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    ports = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    ways: list[dict[str, Any]] = [{"to": [name_servers], "ports": ports}]
    public = {port for rule in policy.rules if not rule.private for port in rule.ports}
    if policy.credentials:
        public.add(_TLS)
    if public:
        block = {"cidr": "0.0.0.0/0", "except": list(_NOT_PUBLIC)}
        ways.append({"to": [{"ipBlock": block}], "ports": _tcp(public)})
    private = {port for rule in policy.rules if rule.private for port in rule.ports}
    if policy.upstream is not None:
        private.add(policy.upstream.port)
    if private:
        block = {"cidr": "0.0.0.0/0", "except": ["127.0.0.0/8", "169.254.0.0/16"]}
        ways.append({"to": [{"ipBlock": block}], "ports": _tcp(private)})
    return ways


def _tcp(ports: Iterable[int]) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in sorted(ports)]


def _clients(name: str) -> dict[str, Any]:
    """The headless Service that says whom the gateway serves: it resolves to the sandbox's addresses."""
    spec = {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": {PROJECT: name}}
    return _object("v1", "Service", f"{name}-clients", name, spec=spec)


def _service(gateway: str, name: str, address: str) -> dict[str, Any]:
    ports = [{"name": "dns", "protocol": "UDP", "port": 53, "targetPort": layout.POD_DNS_PORT}]
    for key, port in _TCP.items():
        outside = 53 if port == layout.POD_DNS_PORT else port
        ports.append({"name": key, "protocol": "TCP", "port": outside, "targetPort": port})
    # No policy lets a sandbox reach it: by it the sandbox's Pod tries whether they are enforced.
    probe = layout.PROBE_PORT
    ports.append({"name": "probe", "protocol": "TCP", "port": probe, "targetPort": probe})
    spec = {
        "clusterIP": address,
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "selector": {GATEWAY: name},
        "ports": ports,
    }
    return _object("v1", "Service", gateway, name, spec=spec)


def _deployment(gateway: str, name: str, options: Cluster, program: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(program).hexdigest()[:16]
    template = {
        # Another program is another template: what mounts it is started again.
        "metadata": {"labels": {GATEWAY: name}, "annotations": {"dev.sandboxd.program": digest}},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            **POD,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "runAsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(name, options)],
            "volumes": [
                {"name": "policy", "configMap": {"name": f"{gateway}-policy"}},
                {"name": "program", "configMap": {"name": f"{gateway}-program"}},
                *([{"name": "secrets", "emptyDir": _IN_MEMORY}] if options.keeps_secrets else ()),
            ],
        },
    }
    spec = {
        "replicas": 1,
        # Two at a time would each have a policy of their own for a while.
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": {GATEWAY: name}},
        "template": template,
    }
    return _object("apps/v1", "Deployment", gateway, name, spec=spec)


def _container(name: str, options: Cluster) -> dict[str, Any]:
    program = [
        f"{_PROGRAM}/gateway.zip",
        "$(POD_IP)",
        f"{_POLICY}/{POLICY_FILE}",
        f"{name}-clients",
    ]
    return {
        "name": "gateway",
        "image": options.gateway_image,
        "command": ["python3", *layout.POD_FLAGS, *program],
        "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "securityContext": CONTAINER,
        "resources": {
            "requests": {"cpu": "20m", "memory": "48Mi"},
            "limits": {"cpu": "1", "memory": "128Mi", "ephemeral-storage": "64Mi"},
        },
        "livenessProbe": _probe("/live"),
        "readinessProbe": _probe("/ready"),
        "volumeMounts": [
            {"name": "policy", "mountPath": _POLICY, "readOnly": True},
            {"name": "program", "mountPath": _PROGRAM, "readOnly": True},
            *([{"name": "secrets", "mountPath": _SECRETS}] if options.keeps_secrets else ()),
        ],
    }


def _probe(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": layout.PROBE_PORT}, "periodSeconds": 5}


def _network_policy(
    title: str, label: str, name: str, ingress: list[dict[str, Any]], egress: list[dict[str, Any]]
) -> dict[str, Any]:
    """A NetworkPolicy; an empty list lets nothing through in that direction."""
    spec = {
        "podSelector": {"matchLabels": {label: name}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": ingress,
        "egress": egress,
    }
    return _object("networking.k8s.io/v1", "NetworkPolicy", title, name, spec=spec)


def _pods(label: str, name: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": {label: name}}}


def _object(version: str, kind: str, title: str, name: str, **rest: Any) -> dict[str, Any]:
    """An object of the sandbox `name`; it carries no label by which a policy would select a Pod."""
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": title, "labels": {"app.kubernetes.io/part-of": name}},
        **rest,
    }
