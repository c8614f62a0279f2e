"""Who is given a role of a Kubernetes cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.model.values import Value


class Grantee(NamedTuple):
    """Who gets a role: `kind` is ``ServiceAccount``, ``Group`` or ``User``."""

    kind: str
    name: Value[str]
    namespace: str


class RoleBinding(NamedTuple):
    """A RoleBinding, which holds in its namespace, or a ClusterRoleBinding, which holds everywhere."""

    kind: str
    name: str
    namespace: str
    role: Value[str]
    is_cluster_role: bool
    """Whether the role is one of the cluster, not one of the namespace with the same name."""
    grantees: tuple[Grantee, ...]
