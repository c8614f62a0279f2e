"""The name of a sandbox's container."""

from __future__ import annotations

import os
import re

from sandboxd.model.sandbox_id import name_of, workspace_of
from sandboxd.plan.volumes import project_digest


def container_name(sandbox: str) -> str:
    """The name of a sandbox's container: readable, and unique for the sandbox.

    :param sandbox: the sandbox's identity: the workspace's path, and the sandbox's name if it has one
    """
    folder = os.path.basename(workspace_of(sandbox))
    slug = re.sub(r"[^a-zA-Z0-9_.-]+", "-", folder).strip("-.")[:40]
    words = ("sandboxd", slug or "workspace", name_of(sandbox), project_digest(sandbox))
    return "-".join(word for word in words if word)
