"""Finds changes of a sandbox's objects on its cluster since they were applied, and what the kernel reports inside the
Pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.backends.kubernetes import admission, api, records, running
from sandboxd.backends.kubernetes.target import running_pod
from sandboxd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandboxd.backends.kubernetes.target import Target

_LOOK = ("sh", "-c", "cat /proc/self/status")
_ON = "1"
_FILTERED = "2"


class Compared(NamedTuple):
    """`differences` are deviations from what was applied. `inside` is what the Pod itself reports, which a hostile one
    can falsify.
    """

    pod: str
    differences: tuple[str, ...]
    inside: tuple[str, ...]


def compare(target: Target) -> Compared:
    """Compare the objects of the running sandbox with those that this machine applied.

    :raises PodGone: it does not run
    :raises UsageError: another machine applied them
    """
    pod = running_pod(target)
    record = records.recall(target.environ, target.cluster.context, target.pod)
    if record is None or record.uid != pod["metadata"]["uid"] or not record.objects:
        raise UsageError(
            "what was applied is noted on the machine that started this sandbox, and not on this one",
            f"run it there; `sandboxd status{target.option}` shows what the cluster says",
        )
    differences = [line for each in record.objects for line in _of(target, each)]
    _, output = running.quietly(target.cluster, target.pod, _LOOK)
    wrong, inside = _inside(pod, _fields(output))
    return Compared(target.pod, (*differences, *wrong), inside)


def _of(target: Target, document: Mapping[str, Any]) -> Iterator[str]:
    kind, name = api.kind_of(document), str(document["metadata"]["name"])
    live = target.cluster.get(kind, name)
    if live is None:
        yield f"the {kind.kind} `{name}` is gone"
        return
    for line in admission.differences(document, live):
        yield f"{kind.kind} `{name}`: {line}"


def _fields(status: str) -> dict[str, str]:
    """The fields of `/proc/self/status`."""
    pairs = (line.partition(":") for line in status.splitlines())
    return {name: " ".join(value.split()) for name, _, value in pairs}


def _inside(
    pod: Mapping[str, Any], fields: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The things that a process inside has and is not to have, and those that it has, in words."""
    user = str(((pod.get("spec") or {}).get("securityContext") or {}).get("runAsUser", ""))
    rows: tuple[tuple[str, str, Callable[[str], bool], str], ...] = (
        ("capabilities", fields.get("CapEff", ""), lambda v: v.strip("0") == "", "none"),
        ("capabilities to gain", fields.get("CapBnd", ""), lambda v: v.strip("0") == "", "none"),
        ("no-new-privileges", fields.get("NoNewPrivs", ""), lambda v: v == _ON, "on"),
        ("user", fields.get("Uid", "").partition(" ")[0], lambda v: v == user, user),
    )
    wrong: list[str] = []
    right: list[str] = []
    for name, value, holds, words in rows:
        if not value:
            right.append(f"{name}: not checked, the sandbox does not say")
        elif holds(value):
            right.append(f"{name}: {words}")
        else:
            wrong.append(f"{name} inside: `{value[:40]}`, and not {words}")
    seccomp = fields.get("Seccomp", "")
    # A sandbox under gVisor has a kernel of its own, whose filter the node's does not show.
    state = "a filter" if seccomp == _FILTERED else "not seen inside"
    right.append(f"seccomp: {state}")
    return tuple(wrong), tuple(right)
