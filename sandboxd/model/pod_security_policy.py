"""Which Pods a Kubernetes cluster admits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.model.values import Value


class HostPath(NamedTuple):
    """Paths of the node that a volume may have: `prefix`, and all below it."""

    prefix: str
    read_only: bool


class PodSecurityPolicy(NamedTuple):
    """The settings of a PodSecurityPolicy, which apply to Pods of its users. None or empty: not set, so not allowed."""

    name: str
    privileged: Value[bool] | None
    capabilities: tuple[Value[str], ...]
    """Capabilities that a container may add, upper-case without ``CAP_``; ``*`` for any."""
    default_capabilities: tuple[Value[str], ...]
    """Capabilities that each container gets which does not drop them, upper-case without ``CAP_``."""
    volumes: tuple[Value[str], ...]
    """Types of volumes that a Pod may have; ``*`` for any."""
    host_paths: tuple[Value[HostPath], ...]
    """Paths that a volume of the type ``hostPath`` may have; if none is listed, any path of the node."""
    is_whole: bool = True
    """Whether what is not set here is not set; False for a template, whose values may bring it."""
    kind: str = "PodSecurityPolicy"
    any_host_path: Value[bool] | None = None
    """A switch of its own for volumes with any path of the node, as SecurityContextConstraints have it."""
