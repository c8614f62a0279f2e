"""Named volumes of a hand-written config: each project has its own, unless its user allows it to share them.

An engine has one name space for volumes. Without this, another project could run what one project put into `cache`, and
a hostile project could name the volume of any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

_ID = "${devcontainerId}"


def project_digest(sandbox: str) -> str:
    """A short digest of a sandbox's identity, for names on an engine."""
    return hashlib.sha256(sandbox.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def own_name(name: str, sandbox: str, shared: Collection[str]) -> str:
    """The name in the engine of the volume that the config calls `name`.

    :param sandbox: the sandbox's identity
    :param shared: volumes that the user allows the project to share with others
    """
    if not name or name in shared:
        return name
    digest = project_digest(sandbox)
    if _ID in name:
        return name.replace(_ID, f"id{digest}")
    return f"{name}-{digest}"


def written_name(name: str, workspace: str) -> str:
    """The volume's name in generated files, where Compose adds the project's name as a prefix by itself."""
    return name.removesuffix(f"-{project_digest(workspace)}")
