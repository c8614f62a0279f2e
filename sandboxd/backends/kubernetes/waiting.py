"""Waits for Pods to run or to be gone, and tells why they do not.

A Pod is read every second and not watched: a watch whose connection is half open stays silent for ever.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.backends.kubernetes import api, gateway_pods, sandboxes
from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.model.labels import TRIAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.backends.kubernetes.api import Cluster, Kind

START_SECONDS = 300.0
"""The usual time limit in seconds: pulling an image, and adding a node first, take minutes."""
_LOOK_SECONDS = 0.5
_TELL_SECONDS = 5.0
"""How long a reason lasts before it is told to stay, so that also a pipe and a log have it."""
_AGAIN_SECONDS = 60.0
"""After how many seconds the same reason is told once more."""
_HOPELESS_SECONDS = 10.0
"""Seconds that a fault that a kubelet tries again may last."""
_GONE_SECONDS = 60.0

_PULL = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "RegistryUnavailable",
)
_CONFIG = (
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
)


class CannotStart(EnvironmentFailure):
    """A Pod does not start; the message says why."""


class _Fault(NamedTuple):
    """The reason why a Pod does not run yet. `is_final`: waiting is no use."""

    text: str
    hint: str
    is_final: bool = False


def until_running(
    cluster: Cluster,
    name: str,
    say: Callable[[str, bool], None],
    seconds: float = START_SECONDS,
    *,
    of_sandbox: bool = False,
) -> dict[str, Any]:
    """Wait until all containers of the Pod `name` run; returns the Pod.

    :param say: called with the reason why it does not run yet, and whether the next text may replace it: True whenever
        the reason changes, False once it has lasted for seconds, and each minute from then on
    :param of_sandbox: whether the controller of agent-sandbox makes the Pod
    :raises CannotStart: it will not run, or did not within `seconds`
    """

    def look() -> dict[str, Any] | None:
        pod = cluster.get(api.POD, name)
        return _without_pod(cluster, name) if pod is None and of_sandbox else pod

    what = f"the Pod `{name}`"
    return _until(cluster, look, runs, what, say, seconds, cannot_come_back=not of_sandbox)


def _without_pod(cluster: Cluster, name: str) -> dict[str, Any] | None:
    """A stand-in for the Pod that a Sandbox has not: {'pending': words} of its controller."""
    sandbox = sandboxes.find(cluster, name)
    return {"pending": sandboxes.reason_of(sandbox)} if sandbox is not None else None


def until_gateway(
    cluster: Cluster,
    deployment: str,
    labels: Mapping[str, str],
    say: Callable[[str, bool], None],
    seconds: float = START_SECONDS,
) -> dict[str, Any]:
    """Wait until the Pod of a gateway is ready; returns the Pod.

    :param labels: those of the gateway's Pods
    :param say: as in `until_running`
    :raises CannotStart: as `until_running`
    :raises EnvironmentFailure: it cannot be told which Pod it is
    """

    def look() -> dict[str, Any] | None:
        pod = gateway_pods.only(cluster, deployment, cluster.list(api.POD, labels))
        if pod is not None:
            return pod
        return _failed_replica(cluster.get(api.DEPLOYMENT, deployment))

    return _until(cluster, look, is_ready, "the gateway", say, seconds)


def until_gone(cluster: Cluster, kind: Kind, name: str) -> None:
    """Wait until the object is gone.

    :raises EnvironmentFailure: it is still there after a minute
    """
    _until_none(cluster, kind, lambda: name if cluster.get(kind, name) is not None else "")


def until_no_gateway(cluster: Cluster, name: str) -> None:
    """Wait until the gateway of the sandbox `name`, whose Deployment was deleted, has no Pod any more.

    :raises EnvironmentFailure: one is still there after a minute
    """

    def left() -> str:
        return next(iter(gateway_pods.not_ended(cluster, name)), "")

    _until_none(cluster, api.POD, left)


def _until_none(cluster: Cluster, kind: Kind, left: Callable[[], str]) -> None:
    """:param left: returns the name of an object that is still there, '' for none"""
    deadline = time.monotonic() + _GONE_SECONDS
    while name := left():
        if time.monotonic() > deadline:
            raise EnvironmentFailure(
                f"the {kind.kind} `{name}` is still there {_GONE_SECONDS:g} s after it was deleted",
                f"its node may be gone: `{cluster.context.kubectl} delete {kind.kind.lower()} {name} --force`",
            )
        time.sleep(_LOOK_SECONDS)


def _until(
    cluster: Cluster,
    look: Callable[[], dict[str, Any] | None],
    is_there: Callable[[dict[str, Any]], bool],
    what: str,
    say: Callable[[str, bool], None],
    seconds: float,
    *,
    cannot_come_back: bool = False,
) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    since, last = time.monotonic(), ""
    tell_at = since
    was_there = False
    while True:
        pod = look()
        if pod is None and was_there:
            raise CannotStart(
                f"{what} does not start: it was deleted meanwhile, as it is when its node is drained",
                "run it again: the cluster chooses a node anew",
            )
        was_there = was_there or (pod is not None and cannot_come_back)
        if pod is not None and is_there(pod):
            return pod
        fault = _fault(cluster, pod)
        now = time.monotonic()
        if fault.text != last:
            # A pull that fails is told in two words, turn about.
            since, last, tell_at = now, fault.text, now + _TELL_SECONDS
            say(f"{what} does not run yet: {fault.text}", True)
        elif now >= tell_at:
            tell_at = now + _AGAIN_SECONDS
            left = max(0.0, deadline - now)
            say(f"{what} does not run yet: {fault.text} (waiting for up to {left:.0f} s)", False)
        hopeless = fault.is_final or (
            fault.hint and now - since > _HOPELESS_SECONDS and _is_hopeless(pod)
        )
        if hopeless or now > deadline:
            raise CannotStart(
                f"{what} does not start: {fault.text}", fault.hint or _look_hint(cluster)
            )
        time.sleep(_LOOK_SECONDS)


def runs(pod: Mapping[str, Any]) -> bool:
    """Whether all containers of the Pod run."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return bool(statuses) and all("running" in (each.get("state") or {}) for each in statuses)


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether the Pod is ready, by its readiness probes."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def is_unready(pod: Mapping[str, Any]) -> bool:
    """Whether the cluster says that the Pod is not ready, as of all Pods of a node that does not answer."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") != "True" for each in conditions)


def _is_hopeless(pod: Mapping[str, Any] | None) -> bool:
    """Whether a fault is one that time does not mend: no node may yet be made for a Pod that waits for one."""
    return pod is not None and bool(_waiting(pod))


class _Waiting(NamedTuple):
    """A container that does not come to run."""

    reason: str
    message: str
    image: str


def _waiting(pod: Mapping[str, Any]) -> _Waiting | None:
    """The first container that does not come to run."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    for statuses, containers in (
        ("initContainerStatuses", "initContainers"),
        ("containerStatuses", "containers"),
    ):
        ours = spec.get(containers) or ()
        for each in status.get(statuses) or ():
            waiting, name = (each.get("state") or {}).get("waiting") or {}, each.get("name")
            if waiting.get("reason") in (*_PULL, *_CONFIG):
                image = next((c["image"] for c in ours if name in (None, c["name"])), "")
                return _Waiting(str(waiting["reason"]), str(waiting.get("message", "")), image)
    return None


def _trial_image(pod: Mapping[str, Any]) -> str:
    """The image of our own container in a Pod; '' where it has none."""
    containers = (pod.get("spec") or {}).get("initContainers") or ()
    return next(
        (str(each.get("image", "")) for each in containers if each.get("name") == TRIAL), ""
    )


def _fault(cluster: Cluster, pod: Mapping[str, Any] | None) -> _Fault:
    if pod is None:
        return _Fault("nothing was made of it yet", "")
    if "pending" in pod:
        words = pod["pending"] or "is agent-sandbox's controller at work?"
        return _Fault(f"no Pod was made of the Sandbox yet: {words}", "")
    if "failure" in pod:
        return _Fault(str(pod["failure"]), _look_hint(cluster), is_final=True)
    ended = end_of(pod)
    if ended:
        return _Fault(ended, _look_hint(cluster), is_final=True)
    waiting = _waiting(pod)
    if waiting is not None:
        reason, message, image = waiting
        if reason in _PULL:
            text = f"its image `{image}` cannot be pulled: {_short(message) or reason}"
            option = "gateway-image" if image == _trial_image(pod) else "image"
            hint = (
                f"check its name, and whether the cluster may pull it; another: `--{option} NAME`"
            )
            return _Fault(text, hint)
        return _Fault(f"{reason}: {_short(message)}", _look_hint(cluster))
    return _of_events(cluster, pod)


def _of_events(cluster: Cluster, pod: Mapping[str, Any]) -> _Fault:
    """The last warning about a Pod that has no container yet."""
    name = str(pod["metadata"]["name"])
    try:
        events = cluster.list(api.EVENT, fields={"involvedObject.name": name})
    except SandboxdError:
        events = []
    warnings = [each for each in events if each.get("type") == "Warning"]
    if not warnings:
        node = (pod.get("spec") or {}).get("nodeName")
        return _Fault(
            f"it is being made on the node `{node}`" if node else "no node has it yet", ""
        )
    last = max(warnings, key=_time_of)
    reason, message = str(last.get("reason", "")), _short(str(last.get("message", "")))
    if reason == "FailedScheduling":
        return _Fault(f"no node takes it: {message}", _node_hint(cluster, message))
    if "RuntimeHandler" in message or "runtime handler" in message or "no runtime for" in message:
        return _Fault(
            f"its node has no runtime of that RuntimeClass: {message}",
            "name another: `--runtime-class NAME`, or none with `--allow-runc`",
            is_final=True,
        )
    return _Fault(f"{reason}: {message}", _look_hint(cluster))


def _node_hint(cluster: Cluster, message: str) -> str:
    kubectl = cluster.context.kubectl
    if "unschedulable" in message:
        return f"`{kubectl} get nodes` shows which are cordoned; `kubectl uncordon NODE` gives one back"
    return (
        f"`{kubectl} describe nodes` shows what is free; `[limits]` in sandboxd.toml and the profile say what it asks "
        "for"
    )


def _time_of(event: Mapping[str, Any]) -> str:
    metadata = event.get("metadata") or {}
    return str(
        event.get("lastTimestamp")
        or event.get("eventTime")
        or metadata.get("creationTimestamp")
        or ""
    )


def end_of(pod: Mapping[str, Any]) -> str:
    """Why a Pod has ended, for a person; '' if it has not."""
    status = pod.get("status") or {}
    phase = str(status.get("phase", ""))
    if phase not in ("Failed", "Succeeded"):
        return ""
    reason, message = str(status.get("reason", "")), _short(str(status.get("message", "")))
    if reason == "Evicted":
        return f"its node evicted it: {message}"
    if reason == "DeadlineExceeded":
        return "its time limit is over"
    if reason in ("NodeShutdown", "Terminated", "NodeLost", "Shutdown"):
        return f"its node was drained or went down: {message or reason}"
    for each in status.get("initContainerStatuses") or ():
        ended = (each.get("state") or {}).get("terminated") or {}
        if ended.get("exitCode"):
            return f"its container `{each.get('name', '?')}` did not let it start: {_short(str(ended.get('message', '')))}"
    for each in status.get("containerStatuses") or ():
        ended = (each.get("state") or {}).get("terminated") or {}
        if ended.get("reason") == "OOMKilled":
            return "it needed more memory than its limit"
        if ended:
            return (
                f"its container ended with exit code {ended.get('exitCode', '?')} {message}".strip()
            )
    return f"it ended ({reason or phase}) {message}".strip()


def reason_of(pod: Mapping[str, Any]) -> str:
    """Why a container of a Pod does not run yet, by the Pod's own status; '' where that says nothing."""
    waiting = _waiting(pod)
    return f"{waiting.reason}: {_short(waiting.message)}" if waiting is not None else ""


def _failed_replica(deployment: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A stand-in for a Pod that could not be made: {'failure': words}."""
    for each in ((deployment or {}).get("status") or {}).get("conditions") or ():
        if each.get("type") == "ReplicaFailure" and each.get("status") == "True":
            return {"failure": _short(str(each.get("message", "")))}
    return None


def require_running(cluster: Cluster, name: str) -> dict[str, Any]:
    """The Pod `name`, which must run.

    :raises PodGone: it does not exist, has ended or is being deleted, or a container of it does not run
    """
    option = cluster.context.option
    pod = cluster.get(api.POD, name)
    if pod is None:
        raise PodGone(
            f"no sandbox of this project runs in the namespace `{cluster.context.namespace}` of "
            f"`{cluster.context.name}`",
            f"`sandboxd up{option}` starts it",
        )
    ended = end_of(pod)
    if ended:
        raise PodGone(
            f"the sandbox ended, and what was in it is gone: {ended}",
            f"`sandboxd down{option}` takes the rest away, `sandboxd up{option}` starts it anew",
        )
    if "deletionTimestamp" in pod["metadata"]:
        raise PodGone(
            "the sandbox is ending: it was deleted, as it is when its node is drained",
            f"`sandboxd up{option}` starts it anew once it is gone; what was in it goes with it",
        )
    if not runs(pod):
        raise PodGone("the sandbox does not run now", f"`sandboxd status{option}` shows its state")
    return pod


def _short(text: str) -> str:
    return " ".join(text.split())[:300]


def _look_hint(cluster: Cluster) -> str:
    return f"`{cluster.context.kubectl} describe pods` has all that the cluster says"
