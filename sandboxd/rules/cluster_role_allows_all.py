"""A role allows everything on the cluster.

## What it is

A ClusterRole with every verb on every resource of every group (`*` three times), or with one of the verbs that lead
there: `escalate` or `bind` on roles, `impersonate` on users or groups, for all names of them.

## Why it is bad

It is `cluster-admin` by another name, so that nobody who looks for that name finds it. A Pod whose ServiceAccount has
the role reads every Secret and starts a privileged Pod on any node. With `escalate` it writes itself such a role, with
`bind` it takes the one that is there, and with `impersonate` it acts as the group `system:masters`.

    kubectl auth can-i '*' '*' --as=system:serviceaccount:default:operator

It is a warning: who has the role stands in bindings, and those may be in other files.

## What to do instead

The verbs and resources that the program uses: `kubectl auth can-i --list` and the audit log of the API name them.
`resourceNames` for the few roles that an operator has to bind.

## Under gVisor

No difference: the token is read and used by way of the network.

## References

- https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
- https://kubernetes.io/docs/concepts/security/rbac-good-practices/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.cluster_role import ClusterRole, Permission

META = RuleMeta(
    id="cluster-role-allows-all",
    summary="a role allows everything on the cluster",
    severity=Severity.WARNING,
    since="0.2.0",
    why="whoever runs code in a Pod with the role reads every Secret and starts privileged Pods on each node",
    needs=(Field("permissions"),),
)

_ANY = "*"
_ROLES = frozenset({_ANY, "clusterroles", "roles"})
_PEOPLE = frozenset({_ANY, "users", "groups"})
# Verb -> the resources with which it leads to everything, their group, and what it does.
_VERBS = {
    "escalate": (
        _ROLES,
        "rbac.authorization.k8s.io",
        "lets it write itself a role with all rights",
    ),
    "bind": (_ROLES, "rbac.authorization.k8s.io", "lets it take any role that is there"),
    "impersonate": (_PEOPLE, "", "lets it act as anybody, the group `system:masters` included"),
}


def check(subject: ClusterRole, host: HostFacts) -> Iterator[Finding]:
    evidence = f"ClusterRole/{subject.name}"
    for value in subject.permissions:
        permission = value.value
        if permission.is_for_names:
            continue
        if _ANY in permission.groups and _ANY in permission.resources and _ANY in permission.verbs:
            message = "every verb on every resource is `cluster-admin` by another name"
            yield at_value(META, value, message, evidence)
            return
        for verb, effect in _leading(permission):
            yield at_value(META, value, f"`{verb}` {effect}", f"{evidence} {verb}")


def _leading(permission: Permission) -> Iterator[tuple[str, str]]:
    """The verbs of a permission that lead to everything, and what they do."""
    for verb, (resources, group, effect) in _VERBS.items():
        is_in_group = group in permission.groups or _ANY in permission.groups
        if not is_in_group or not resources & permission.resources:
            continue
        if _ANY in permission.verbs:
            yield _ANY, f"has `{verb}` in it, which {effect}"
            return
        if verb in permission.verbs:
            yield verb, effect
