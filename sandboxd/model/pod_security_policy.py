"""Which Pods a Kubernetes cluster admits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sandboxd.model.values import Value


class PodSecurityPolicy(NamedTuple):
    """What a PodSecurityPolicy allows the Pods of those who may use it. None and empty mean "not set": not allowed."""

    name: str
    privileged: Value[bool] | None
    capabilities: tuple[Value[str], ...]
    """Capabilities that a container may add; ``*`` for any."""
    volumes: tuple[Value[str], ...]
    """Types of volumes that a Pod may have; ``*`` for any."""
    limits_host_paths: bool
    """Whether paths are listed; if not, a volume of the type ``hostPath`` may be any path of the node."""
