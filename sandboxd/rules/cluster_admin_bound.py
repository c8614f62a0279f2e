"""Programs in Pods may do everything on the cluster.

## What it is

A ClusterRoleBinding of `cluster-admin` to a ServiceAccount, or to a group that every Pod or everybody is in.

## Why it is bad

A Pod gets the token of its ServiceAccount as a file. With this role the token reads every Secret, and starts a
privileged Pod on any node: whoever runs code in one such Pod has all machines.

    kubectl create clusterrolebinding x --clusterrole=cluster-admin --serviceaccount=default:default

To the account `default` it is given to each Pod of the namespace that names no other, those that somebody adds
later too; to `system:serviceaccounts` to each Pod of the cluster; to `system:anonymous`, `system:unauthenticated`
and `system:authenticated` to whoever reaches the API. These are errors. An account of its own is a warning, and
so is a RoleBinding, which holds in its namespace only, to all of the former.

## What to do instead

An account for the one program, and a Role with the verbs and resources that it uses;
`automountServiceAccountToken: false` for the others. People get `cluster-admin` by their own name or group:
nothing is said of those.

## Under gVisor

No difference: the token is read and used by way of the network.

## References

- https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
- https://kubernetes.io/docs/concepts/security/rbac-good-practices/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.role_binding import Grantee, RoleBinding

META = RuleMeta(
    id="cluster-admin-bound",
    summary="programs in Pods may do everything on the cluster",
    severity=Severity.ERROR,
    since="0.2.0",
    why="whoever runs code in such a Pod reads every Secret and starts privileged Pods on each node",
    needs=(Field("grantees"),),
)

_ACCOUNTS = "system:serviceaccounts"
_ONE_ACCOUNT = "system:serviceaccount:"
_ANYBODY = ("system:anonymous", "system:unauthenticated", "system:authenticated")


def check(subject: RoleBinding, host: HostFacts) -> Iterator[Finding]:
    if subject.role.value != "cluster-admin" or not subject.is_cluster_role:
        return
    is_everywhere = subject.kind == "ClusterRoleBinding"
    where = "on the cluster" if is_everywhere else "in its namespace"
    for grantee in subject.grantees:
        many = _many(grantee, subject.namespace)
        account = many or _account(grantee)
        if not account or not (many or is_everywhere):
            continue
        severity = Severity.ERROR if many and is_everywhere else Severity.WARNING
        message = f"{account} may do everything {where}"
        evidence = f"{subject.kind}/{subject.name} {grantee.name.value}"
        yield at_value(META, grantee.name, message, evidence, severity)


def _many(grantee: Grantee, namespace: str) -> str:
    """The Pods or people that nobody listed one by one, in words; '' for one account, or for people by name."""
    name = grantee.name.value
    if grantee.kind == "ServiceAccount" and name == "default":
        space = grantee.namespace or namespace
        of_space = f" of `{readable(space)}`" if space else ""
        return f"each Pod{of_space} that names no other account"
    if name in _ANYBODY:
        return f"whoever reaches the API (`{name}`)"
    if grantee.kind == "Group" and (name == _ACCOUNTS or name.startswith(f"{_ACCOUNTS}:")):
        return f"each Pod in `{readable(name)}`"
    if name.startswith(_ONE_ACCOUNT) and name.endswith(":default"):
        return f"each Pod without an account of its own (`{readable(name)}`)"
    return ""


def _account(grantee: Grantee) -> str:
    name = grantee.name.value
    if grantee.kind == "ServiceAccount" or name.startswith(_ONE_ACCOUNT):
        return f"the account `{readable(name)}`, and so each Pod that uses it,"
    return ""
