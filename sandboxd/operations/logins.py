"""The SSH keys that a running sandbox may still have: what its start chose, as far as everything says so now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.model.sandbox_id import name_of, workspace_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.ssh_agent.choice import Choice


def still_given(
    choice: Choice, sandbox: str, environ: Mapping[str, str]
) -> tuple[Choice | None, str]:
    """The part of `choice` that config, grants, policies and the user's records give to `sandbox` now, and why less.

    None for nothing, also where they cannot be read: who cannot say what is allowed allows nothing.
    """
    from sandboxd.credentials.resolve import still_chosen
    from sandboxd.policy import floor
    from sandboxd.project import Project

    try:
        project = Project.open(workspace_of(sandbox), environ, name_of(sandbox))
        network = project.network(floor.load(environ))
        given = still_chosen(choice, network.uses, environ)
    except SandboxdError as error:
        return None, error.message
    if given == choice:
        return given, ""
    return given, network.problem or "its config, or your list of credentials, has them no more"
