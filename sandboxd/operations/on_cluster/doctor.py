"""Examines what a cluster can do for sandboxes, and which rights the user lacks there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.backends.kubernetes import api, failures, rights, sandboxes
from sandboxd.plan.cluster import gvisor_class
from sandboxd.plan.writers.kubernetes import yaml_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandboxd.backends.kubernetes.rights import Right

_ENDS_INPUT = (1, 30)
_LONGEST_NUMBER = 9


class Examined(NamedTuple):
    """What a cluster can do. `classes` has name and handler of each RuntimeClass, None if they cannot be listed;
    `gvisor` is the RuntimeClass for gVisor, '' for none.
    """

    context: str
    server: str
    namespace: str
    version: str
    classes: tuple[tuple[str, str], ...] | None
    gvisor: str
    ends_input: bool
    sandboxes: bool
    """Whether agent-sandbox is installed, which `up --sandbox` needs."""
    missing: tuple[Right, ...]
    seconds_ahead: int | None = None
    """By how much the cluster's clock is ahead of this machine's, in seconds; None if it is not known."""
    user: str = ""
    """The name by which the cluster knows the user; '' if it does not say."""


def examine(on: str, environ: Mapping[str, str]) -> Examined:
    """Examine the cluster of the kubeconfig context `on`.

    :raises SandboxdError: it cannot be reached, or refuses all requests
    """
    cluster = api.connect(on, environ)
    context = cluster.context
    version = cluster.text("/version", "say its version")
    classes: tuple[tuple[str, str], ...] | None = None
    try:
        facts = cluster.list(api.RUNTIME_CLASS)
        classes = tuple(
            sorted((str(each["metadata"]["name"]), str(each.get("handler", ""))) for each in facts)
        )
    except failures.Refused:
        pass
    return Examined(
        context.name,
        context.server,
        context.namespace,
        str(version.get("gitVersion", "unknown")),
        classes,
        gvisor_class(classes or ())[0],
        _number(version) >= _ENDS_INPUT,
        sandboxes.are_there(cluster),
        tuple(rights.missing(cluster)),
        cluster.seconds_ahead(),
        rights.user_name(cluster),
    )


def roles(facts: Examined) -> str:
    """The RBAC objects that would give the user the rights, as YAML; `NAME` stands for a user who is not known."""
    return yaml_of(rights.roles(facts.namespace, facts.user))


def in_one_line(some: Sequence[Right]) -> str:
    """Rights in words: each resource with its verbs, and what they are needed for."""
    purposes = ", ".join(dict.fromkeys(each.what_for for each in some))
    return f"{rights.in_one_line(some)} (for {purposes})"


def document(facts: Examined) -> dict[str, Any]:
    """`facts` as JSON data."""
    return {
        "version": 1,
        **facts._asdict(),
        "classes": None
        if facts.classes is None
        else [{"name": n, "handler": h} for n, h in facts.classes],
        "missing": [
            {"right": str(r), "what_for": r.what_for, "optional": r.is_optional}
            for r in facts.missing
        ],
    }


def _number(version: Mapping[str, Any]) -> tuple[int, int]:
    """Major and minor number; clouds write `32+`."""
    digits = [
        "".join(c for c in str(version.get(key, "")) if c.isdecimal())[:_LONGEST_NUMBER]
        for key in ("major", "minor")
    ]
    return int(digits[0] or 0), int(digits[1] or 0)
