"""The place of an attacked sandbox on its cluster (namespace, Pod, node), as the API server gives it."""

from __future__ import annotations

from typing import NamedTuple

NOT_KNOWN = "not known"
"""The value of fields that the user may not read."""


class Place(NamedTuple):
    """'' in a field means that the Pod has no such thing."""

    context: str
    server: str
    namespace: str
    pod: str
    uid: str
    node: str
    runtime_class: str
    handler: str
    """The handler of the RuntimeClass."""
    node_runtime: str
    """The container runtime of the node and its version, as `containerd://2.1.4`."""
    node_kernel: str
    interpreter: str = ""
    """Which Python made the attempts."""
