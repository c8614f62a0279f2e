"""What a role allows on a whole Kubernetes cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.model.values import Value


class Permission(NamedTuple):
    """What one rule of a role allows; ``*`` in a list stands for all. Empty lists: not set."""

    groups: frozenset[str]
    resources: frozenset[str]
    verbs: frozenset[str]
    is_for_names: bool
    """Whether it applies to objects of some names alone."""


class ClusterRole(NamedTuple):
    """A ClusterRole: whoever a ClusterRoleBinding gives it to has it in every namespace."""

    name: str
    permissions: tuple[Value[Permission], ...]
    """Each at its verbs."""
