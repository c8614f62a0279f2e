"""Finds changes of a sandbox's objects on its cluster since they were applied, and what the kernel reports inside the
Pod.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandboxd.backends.backend import Comparison
from sandboxd.backends.kubernetes import admission, api, records, running
from sandboxd.backends.kubernetes.target import running_pod
from sandboxd.errors import UsageError
from sandboxd.observe.control import Control
from sandboxd.observe.drift import Drift

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandboxd.backends.kubernetes.target import Target

_LOOK = ("sh", "-c", "cat /proc/self/status")
_ON = "1"
_FILTERED = "2"


def compare(target: Target) -> Comparison:
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
    differences = [drift for each in record.objects for drift in _of(target, each)]
    _, output = running.quietly(target.cluster, target.pod, _LOOK)
    wrong, controls = _inside(pod, _fields(output))
    drifts = (*differences, *wrong)
    hint = ""
    if drifts:
        hint = f"`sandboxd up{target.option} --recreate` keeps its changes for `review` and makes it anew"
    return Comparison(target.sandbox, target.pod, drifts, controls, hint=hint)


def _of(target: Target, document: Mapping[str, Any]) -> Iterator[Drift]:
    kind, name = api.kind_of(document), str(document["metadata"]["name"])
    live = target.cluster.get(kind, name)
    if live is None:
        yield Drift(f"{kind.kind} `{name}`", "applied", "")
        return
    for each in admission.differences(document, live):
        control = f"{kind.kind} `{name}` `{each.path}`"
        yield Drift(
            control,
            each.before or "",
            f"one more: {each.after}" if each.is_item else each.after or "",
        )


def _fields(status: str) -> dict[str, str]:
    """The fields of `/proc/self/status`."""
    pairs = (line.partition(":") for line in status.splitlines())
    return {name: " ".join(value.split()) for name, _, value in pairs}


def _inside(
    pod: Mapping[str, Any], fields: Mapping[str, str]
) -> tuple[tuple[Drift, ...], tuple[Control, ...]]:
    """The rights that a process inside has and is not to have, and the controls that it says are in force, of which
    nobody outside sees anything.
    """
    user = str(((pod.get("spec") or {}).get("securityContext") or {}).get("runAsUser", ""))
    rows: tuple[tuple[str, str, Callable[[str], bool], str], ...] = (
        ("capabilities", fields.get("CapEff", ""), lambda v: v.strip("0") == "", "none"),
        ("capabilities to gain", fields.get("CapBnd", ""), lambda v: v.strip("0") == "", "none"),
        ("no-new-privileges", fields.get("NoNewPrivs", ""), lambda v: v == _ON, "on"),
        ("user", fields.get("Uid", "").partition(" ")[0], lambda v: v == user, user),
    )
    wrong: list[Drift] = []
    right: list[Control] = []
    for name, value, holds, words in rows:
        if not value:
            right.append(Control(name, "not seen", "the sandbox does not say"))
        elif holds(value):
            right.append(Control(name, "not seen", f"{words}, by the word of the sandbox"))
        else:
            wrong.append(Drift(f"{name} inside", words, value[:40]))
    seccomp = fields.get("Seccomp", "")
    # A sandbox under gVisor has a kernel of its own, whose filter the node's does not show.
    why = (
        "a filter, by the word of the sandbox" if seccomp == _FILTERED else "not seen inside either"
    )
    right.append(Control("seccomp", "not seen", why))
    return tuple(wrong), tuple(right)
