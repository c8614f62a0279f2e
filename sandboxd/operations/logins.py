"""The SSH keys that a running sandbox may still have: what its start chose, as far as everything says so now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.model.sandbox_id import name_of, workspace_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.ssh_agent.choice import Choice


def still_given(
    choice: Choice, sandbox: str, container: str, environ: Mapping[str, str]
) -> tuple[Choice | None, str]:
    """The part of `choice` that config, grants, policies and the user's records give to `sandbox` now, and why less.

    What was added to a record since is not in it: that is for the next start. None for nothing, also where they cannot be read: who cannot say what is allowed allows nothing.

    :param container: the id of the one that the choice was for
    """
    from sandboxd.project import Project
    from sandboxd.project.rights import rights_now

    try:
        project = Project.open(workspace_of(sandbox), environ, name_of(sandbox))
        rights = rights_now(project, container, time.time())
    except SandboxdError as error:
        return None, error.message
    given = choice.within(rights.keys)
    if given == choice:
        return given, ""
    return given, rights.problem or "its config, or your list of credentials, has them no more"
