"""Runs the escape attempts against a sandbox on a cluster, from inside its Pod."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.backends.kubernetes import losses, records, surroundings
from sandboxd.backends.kubernetes.target import running_pod
from sandboxd.backends.kubernetes.work import inside
from sandboxd.egress import verify_marks
from sandboxd.model.control_name import ControlName
from sandboxd.model.labels import PROFILE
from sandboxd.plan.cluster import gvisor_class
from sandboxd.verify import in_pod
from sandboxd.verify import inside as inside_attempts
from sandboxd.verify.gateway_events import DENIED_DOORS
from sandboxd.verify.place import NOT_KNOWN, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.backends.kubernetes.surroundings import Gateway, Node
    from sandboxd.backends.kubernetes.target import Target
    from sandboxd.verify.verdict import Verdict

_NAMES = ("kubernetes.default.svc.cluster.local", "kube-dns.kube-system.svc.cluster.local")
"""Services in other namespaces that most clusters have."""
_LOG_TRIES, _LOG_SECONDS = 6, 0.5
"""A node's log has an entry a moment after the container wrote it, so it is read several times."""

_UNREAD = "the gateway's log cannot be read"


class _Around(NamedTuple):
    pod: Mapping[str, Any]
    node: Node
    handler: str
    gateway: Gateway | None
    server: list[tuple[str, int]]


def attack(target: Target, progress: Callable[[int, int], None]) -> tuple[Verdict, float]:
    """Run each attempt whose outcome can be judged on a cluster, in the running sandbox of `target`;
    return the verdict, and the seconds that the attempts took.

    :param progress: called with the number of finished attempts and of all
    :raises PodGone: it does not run, or ended meanwhile
    :raises EnvironmentFailure: the cluster cannot be reached
    """
    pod = running_pod(target)
    around = _look(target, pod)
    denied = f"{secrets.token_hex(6)}.{verify_marks.DENIED}"
    began = time.monotonic()
    report = inside_attempts.make_by(
        inside(target), in_pod.attempts(), _facts(target, around, denied), progress, in_pod.CONTROL
    )
    logged = _of_log(target, around.gateway, denied)
    seconds = time.monotonic() - began
    known = _known(target, around)._replace(
        passed=logged.passed, recorded=logged.recorded, log_problem=logged.problem
    )
    return in_pod.verdict(report, known), seconds


def _look(target: Target, pod: Mapping[str, Any]) -> _Around:
    cluster = target.cluster
    name = str((pod.get("spec") or {}).get("runtimeClassName") or "")
    return _Around(
        pod,
        surroundings.node_of(cluster, pod),
        surroundings.handler_of(cluster, name),
        surroundings.gateway_of(cluster, target.pod),
        surroundings.api_server(cluster),
    )


def _facts(target: Target, around: _Around, denied: str) -> dict[str, Any]:
    """The facts that the attempts have to know; none of them is a secret."""
    node, gateway = around.node, around.gateway
    return {
        "gateway": gateway.address if gateway is not None else "",
        "denied": denied,
        "unknown": f"sandboxd-verify-{secrets.token_hex(6)}.invalid",
        "host_addresses": [node.address] if node.address and ":" not in node.address else [],
        "node": node.name,
        "is_gvisor": _is_gvisor(around.handler),
        "api_server": around.server,
        "neighbours": surroundings.neighbours(target.cluster, target.pod),
        "name_servers": surroundings.name_servers(target.cluster, around.server),
        "cluster_names": list(_NAMES),
    }


def _is_gvisor(handler: str) -> bool:
    return gvisor_class([("", handler)])[1] != ""


def _known(target: Target, around: _Around) -> in_pod.Known:
    metadata, context = around.pod["metadata"], target.cluster.context
    node, gateway = around.node, around.gateway
    place = Place(
        context.name,
        context.server,
        context.namespace,
        target.pod,
        str(metadata.get("uid", "")),
        node.name,
        str(around.pod["spec"].get("runtimeClassName") or ""),
        around.handler,
        node.runtime or NOT_KNOWN,
        node.kernel or NOT_KNOWN,
    )
    policy = gateway.policy if gateway is not None else ""
    return in_pod.Known(
        place,
        str((metadata.get("labels") or {}).get(PROFILE, "")),
        node.boot_id,
        _is_gvisor(around.handler),
        gateway is not None,
        surroundings.faults(around.pod),
        _open_seccomp(target, metadata),
        frozenset(name for name in _NAMES if f'"{name}"' in policy),
        frozenset(),
        frozenset(),
    )


def _open_seccomp(target: Target, metadata: Mapping[str, Any]) -> str:
    """The start's words about a filter that is not the profile's; '' where there are none."""
    record = records.recall(target.environ, target.cluster.context, target.pod)
    lost = losses.noted(record, metadata)
    return next((each.why for each in lost if each.control == ControlName.SECCOMP), "")


def _of_log(target: Target, gateway: Gateway | None, denied: str) -> in_pod.Logged:
    """What the gateway's log says about the attempts; nothing where none serves."""
    logged = in_pod.Logged()
    for number in range(_LOG_TRIES if gateway is not None and gateway.pod else 0):
        if number:
            time.sleep(_LOG_SECONDS)
        assert gateway is not None
        events = surroundings.gateway_events(target.cluster, gateway.pod)
        if events is None:
            return logged._replace(problem=_UNREAD)
        logged = in_pod.of_log(events, denied)
        if not logged.problem and logged.recorded >= DENIED_DOORS.keys():
            break
    return logged
