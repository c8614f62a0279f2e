"""The name of a project's container."""

from __future__ import annotations

import os
import re

from sandboxd.plan.volumes import project_digest


def container_name(workspace: str) -> str:
    """A name that people recognise and that is unique for the path."""
    slug = re.sub(r"[^a-zA-Z0-9_.-]+", "-", os.path.basename(workspace)).strip("-.")[:40]
    return f"sandboxd-{slug or 'workspace'}-{project_digest(workspace)}"
