"""Settings of every Pod and container that we write, beside those that Pod Security `restricted` asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

POD: Mapping[str, Any] = {"automountServiceAccountToken": False, "enableServiceLinks": False}
"""Fields of a Pod: nothing of the cluster is given to what runs in it."""

CONTAINER: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
"""The `securityContext` of a container."""
