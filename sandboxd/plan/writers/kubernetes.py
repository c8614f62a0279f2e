"""Writes a plan as Kubernetes objects: the policies first, then the gateway, then the Pod that they are for.

The Pod passes Pod Security `restricted`. Parts of the plan that the objects do not enforce are in
`plan.cluster.downgrades`, in a comment above the objects, and in an annotation of the Pod.

Sources: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted,
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/,
https://agent-sandbox.sigs.k8s.io/ (the fields of a Sandbox, v1beta1).
"""

from __future__ import annotations

import ipaddress
import json
import re
from typing import TYPE_CHECKING, Any

from sandboxd.egress.wire import policy_from_json
from sandboxd.errors import UsageError
from sandboxd.model.labels import EXPORT, MADE_BY, PROFILE, PROJECT
from sandboxd.plan import cluster, inner_network
from sandboxd.plan.git_settings import SAFE, with_settings
from sandboxd.plan.layout import HOME
from sandboxd.plan.mounts import target_folder
from sandboxd.plan.service_reading import size
from sandboxd.plan.writers import _kubernetes_gateway as gateway
from sandboxd.plan.writers import _network_trial, _yaml
from sandboxd.plan.writers._pod_security import CONTAINER, POD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.egress.policy import Policy
    from sandboxd.model.container import Mount
    from sandboxd.plan.cluster import Cluster
    from sandboxd.plan.plan import Plan

NOT_IN_FORCE = "dev.sandboxd.not-in-force"
"""The annotation of the Pod that names the controls of the plan which are not in force."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?\Z")
_CPUS = re.compile(r"[0-9]+(\.[0-9]{1,3})?\Z|[0-9]+m\Z")
_MIB = 1 << 20
_HOME_SIZE, _TMP_SIZE, _WORK_SIZE, _MEMORY, _PROGRAM_SIZE = "2g", "1g", "4g", "8g", "2g"
"""Defaults for a profile that sets no sizes: on a cluster nothing may be without a limit, as other Pods share the
node's disk and memory.
"""

_LOGS = 64 * _MIB


def render(plan: Plan, options: Cluster, program: bytes) -> str:
    """The text of the file, as YAML.

    :param program: the archive of the gateway's program; only used if the plan has a gateway
    :raises UsageError: an option is missing or not valid, or the plan was not made for a cluster
    """
    written = objects(plan, options, program)
    heading = [
        f"Profile `{plan.profile}` of sandboxd, for Kubernetes: `kubectl apply -f FILE`.",
        "Not in force there, or not looked at:",
        *(f"- {line}" for line in _lost(plan, options)),
    ]
    return "".join(f"# {_one_line(line)}\n" for line in heading) + _yaml.documents(written)


def objects(plan: Plan, options: Cluster, program: bytes) -> list[dict[str, Any]]:
    """The objects that `render` writes, in the order to create them; the Pod, or the Sandbox, is the last.

    :raises UsageError: as `render`
    """
    _refuse(plan, options)
    name = cluster.name_of(plan, options)
    written = [
        *gateway.objects(plan, options, name, program),
        _workspace(plan, options, name, _lost(plan, options)),
    ]
    return _with_namespace(written, options.namespace)


def of_policy(policy: Policy, name: str, namespace: str) -> list[dict[str, Any]]:
    """The objects of the sandbox `name` that depend on its gateway's policy.

    :param policy: as `pod_policy.for_pod` returned it
    """
    return _with_namespace(gateway.of_policy(policy, name), namespace)


def policy_of(config_map: Mapping[str, Any]) -> Policy | None:
    """The policy in a ConfigMap that `of_policy` wrote; None if it holds no valid policy."""
    try:
        text = config_map["data"][gateway.POLICY_FILE]
        return policy_from_json(json.loads(text)["policy"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _with_namespace(documents: list[dict[str, Any]], namespace: str) -> list[dict[str, Any]]:
    if namespace:
        for each in documents:
            metadata = each["metadata"]
            each["metadata"] = {"name": metadata.pop("name"), "namespace": namespace, **metadata}
    return documents


def yaml_of(documents: list[dict[str, Any]]) -> str:
    """The objects as YAML text."""
    return _yaml.documents(documents)


def _lost(plan: Plan, options: Cluster) -> list[str]:
    return [f"{d.control}: {d.why}" for d in cluster.downgrades(plan, options)]


def _refuse(plan: Plan, options: Cluster) -> None:
    for option, value in (
        ("namespace", options.namespace),
        ("runtime-class", options.runtime_class),
    ):
        if value and not (_LABEL.match(value) and len(value) <= 63):
            raise UsageError(
                f"`{value}` is no name of an object of Kubernetes",
                f"give small letters, digits and hyphens: `--{option} NAME`",
            )
    if not _CPUS.match(options.cpus):
        raise UsageError(
            f"`{options.cpus}` is no number of processors", "write `--cpus 2`, or `500m`"
        )
    network = plan.container.network
    if plan.egress is None and (network is None or network.value != "none"):
        raise UsageError(
            "the project's network is open, and an open Pod reaches the other Pods of its cluster",
            'let it reach names: `[network] mode = "allow"` in sandboxd.toml; or nothing: `mode = "none"`',
        )
    if plan.egress is None:
        return
    if not options.gateway_image:
        raise UsageError(
            "the sandbox reaches names through a gateway, and no image is named for that",
            "name one with Python 3.11 or later that the cluster can pull: `--gateway-image python:3-slim`",
        )
    try:
        ipaddress.IPv4Address(options.gateway_address)
    except ValueError:
        fault = (
            f"`{options.gateway_address}` is no IPv4 address"
            if options.gateway_address
            else "no address is named"
        )
        raise UsageError(
            f"the gateway's Service needs an address that the sandbox knows before it starts: {fault}",
            "name a free one of the cluster's range for Services, `--gateway-address 10.96.200.1`; "
            "`kubectl get svc -A` shows which are taken",
        ) from None
    if plan.egress.upstream is not None and plan.egress.upstream.credentials:
        raise UsageError(
            f"the proxy {plan.egress.upstream} wants a password, and whoever reads a ConfigMap would have it",
            "use a proxy without one for the cluster, or none",
        )


def _workspace(plan: Plan, options: Cluster, name: str, lost: list[str]) -> dict[str, Any]:
    """The Pod, or the Sandbox that makes one."""
    metadata = {
        "labels": {PROJECT: name, PROFILE: plan.profile, MADE_BY: EXPORT},
        "annotations": {NOT_IN_FORCE: "".join(f"{_one_line(line)}\n" for line in lost)},
    }
    spec = _pod(plan, options)
    if not options.for_controller:
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, **metadata},
            "spec": spec,
        }
    template = {"metadata": metadata, "spec": spec}
    return {
        "apiVersion": "agents.x-k8s.io/v1beta1",
        "kind": "Sandbox",
        "metadata": {"name": name, "labels": metadata["labels"]},
        "spec": {"operatingMode": "Running", "podTemplate": template},
    }


def _pod(plan: Plan, options: Cluster) -> dict[str, Any]:
    user, group = cluster.user(plan)
    seccomp = {"type": "RuntimeDefault"}
    if options.seccomp_profile:
        seccomp = {"type": "Localhost", "localhostProfile": options.seccomp_profile}
    limit = {"activeDeadlineSeconds": plan.time_limit} if plan.time_limit else {}
    volumes = list(_volumes(plan))
    trial = _network_trial.containers(plan, options)
    return {
        **({"runtimeClassName": options.runtime_class} if options.runtime_class else {}),
        **limit,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 5,
        **POD,
        "dnsPolicy": "None",
        "dnsConfig": _dns(plan, options),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": group,
            "fsGroup": group,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": seccomp,
        },
        **({"initContainers": trial} if trial else {}),
        "containers": [_container(plan, options, volumes)],
        "volumes": [
            {"name": name, "emptyDir": {**medium, "sizeLimit": f"{room // _MIB}Mi"}}
            for name, _, room, medium in volumes
        ],
    }


def _container(plan: Plan, options: Cluster, volumes: list[_Volume]) -> dict[str, Any]:
    container = plan.container
    target = target_folder(plan.workspace)
    memory = (
        (size(container.memory.value) if container.memory is not None else None)
        or size(_MEMORY)
        or 0
    )
    disk = sum(room for _, _, room, medium in volumes if not medium) + _LOGS
    return {
        "name": "workspace",
        "image": cluster.image(plan, options),
        "command": [_literal(word) for word in container.command],
        "workingDir": container.working_dir.value if container.working_dir is not None else target,
        "env": [
            {"name": name, "value": _literal(text)} for name, text in _environment(plan, options)
        ],
        "securityContext": CONTAINER,
        "resources": {
            # Without requests the limits would be what the scheduler sets aside.
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {
                "cpu": options.cpus,
                "memory": f"{memory // _MIB}Mi",
                "ephemeral-storage": f"{disk // _MIB}Mi",
            },
        },
        "volumeMounts": [{"name": name, "mountPath": path} for name, path, _, _ in volumes],
    }


_Volume = tuple[str, str, int, dict[str, str]]
"""Name, path inside, size in bytes, and the fields of its `emptyDir`: {} for the node's disk."""


def _volumes(plan: Plan) -> Iterator[_Volume]:
    yield "workspace", target_folder(plan.workspace), room_of_work(plan), {}
    yield "home", HOME, _bytes(plan.rooms.home, _HOME_SIZE), {}
    yield "tmp", cluster.PLACES[1], _bytes(plan.rooms.tmp, _TMP_SIZE), {}
    for number, mount in enumerate(cluster.programs(plan)):
        yield f"program-{number}", mount.target, _bytes("", _PROGRAM_SIZE), {}
    for number, mount in enumerate(_own_memory(plan)):
        room = next(
            (o.partition("=")[2] for o in mount.options if o.partition("=")[0] in _SIZES), ""
        )
        yield f"memory-{number}", mount.target, _bytes(room, _TMP_SIZE), {"medium": "Memory"}


_SIZES = ("size", "tmpfs-size")


def room_of_work(plan: Plan) -> int:
    """The size of the workspace's volume, in bytes."""
    return _bytes(plan.rooms.copy, _WORK_SIZE)


def _own_memory(plan: Plan) -> list[Mount]:
    """The folders in memory that the project itself asks for."""
    target = target_folder(plan.workspace)
    ours = (target, *cluster.PLACES)
    mounts = [value.value for value in plan.container.mounts if value.value.type == "tmpfs"]
    return [
        m for m in mounts
        if m.target not in ours and not m.target.startswith((f"{target}/", "/sandboxd/"))
    ]  # fmt: skip


def _bytes(text: str, otherwise: str) -> int:
    return size(text) or size(otherwise) or 0


def _dns(plan: Plan, options: Cluster) -> dict[str, Any]:
    if plan.egress is None:
        # One has to be named, and nobody answers there.
        return {"nameservers": ["127.0.0.1"]}
    tries = [{"name": "timeout", "value": "2"}, {"name": "attempts", "value": "2"}]
    return {"nameservers": [options.gateway_address], "options": tries}


def _environment(plan: Plan, options: Cluster) -> list[tuple[str, str]]:
    pairs = {value.value.name: value.value.value for value in plan.container.env}
    pairs["HOME"] = HOME
    # Where NVIDIA's runtime is the node's usual one, a variable of the image or project alone passes devices in. Source:
    # https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html
    pairs["NVIDIA_VISIBLE_DEVICES"] = "void"
    if plan.egress is not None:
        proxies = inner_network.proxies(options.gateway_address, pairs)
        pairs |= {pair.name: pair.value for pair in proxies}
    # The folder of a volume is root's, and git would refuse what is in it; who commits is nobody's business.
    settings = [(key, value) for key, value in plan.git if key == SAFE]
    lines = with_settings([f"{name}={value}" for name, value in pairs.items()], settings)
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def _literal(text: str) -> str:
    """`text` without variables: the kubelet replaces `$(NAME)`, and takes `$$` for a dollar sign."""
    return text.replace("$", "$$")


def _one_line(text: str) -> str:
    """`text` for a comment: a line end in a hostile value must not end it."""
    return "".join(char if char.isprintable() else "?" for char in text)
