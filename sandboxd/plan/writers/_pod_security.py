"""The settings of every Pod and container that sandboxd writes, including those that Pod Security `restricted`
requires.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

POD: Mapping[str, Any] = {"automountServiceAccountToken": False, "enableServiceLinks": False}
"""Fields of a Pod, so that what runs in it gets nothing of the cluster."""

CONTAINER: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
"""The `securityContext` of a container."""
