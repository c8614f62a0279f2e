"""The git directory of a sandbox, for its plan and before its container is made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.exchange.place import Place, place_of, repository_of
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.plan.git_objects import object_folders
from sandboxd.plan.own_git import OwnGit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.plan.plan import Plan


def own_git(environ: Mapping[str, str], sandbox: str) -> OwnGit | None:
    """The git directory for inside of `sandbox`; None where its workspace has no repository of the usual form.

    Nothing is made.
    """
    workspace = workspace_of(sandbox)
    repository = repository_of(workspace)
    if repository is None:
        return None
    place = place_of(environ, sandbox)
    return OwnGit(place.inside, place.empty, object_folders(workspace, repository.common))


def place_in(plan: Plan) -> Place | None:
    """The place of the git directory that `plan` mounts; None where it mounts none."""
    return Place(os.path.dirname(plan.own_git.inside)) if plan.own_git is not None else None


def prepare(plan: Plan) -> bool:
    """Make what `plan` mounts as its git directory, if it is not there.

    :returns: whether it was made now
    :raises EnvironmentFailure: it cannot be made
    """
    from sandboxd.exchange.seed import Seed, seed

    place = place_in(plan)
    repository = repository_of(plan.workspace)
    if plan.own_git is None or place is None or repository is None:
        return False
    return seed(repository, place, Seed(plan.own_git.targets))
