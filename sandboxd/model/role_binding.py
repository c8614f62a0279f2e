"""Who has which role in a Kubernetes cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.model.values import Value


class Grantee(NamedTuple):
    """Who has a role: `kind` is ``ServiceAccount``, ``Group`` or ``User``."""

    kind: str
    name: Value[str]
    namespace: str


class RoleBinding(NamedTuple):
    """A RoleBinding, which applies in its namespace, or a ClusterRoleBinding, which applies everywhere."""

    kind: str
    name: str
    namespace: str
    role: Value[str]
    is_cluster_role: bool
    """Whether the role is a ClusterRole, not a Role of the same name in the namespace."""
    grantees: tuple[Grantee, ...]
