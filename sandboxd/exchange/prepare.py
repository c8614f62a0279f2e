"""The git directory of a sandbox, for its plan and before its container is made."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

from sandboxd.exchange.place import Place, Repository, place_of, repository_of
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.plan.git_modules import find_modules
from sandboxd.plan.git_objects import object_folders
from sandboxd.plan.mounts import target_folder
from sandboxd.plan.own_git import OwnGit, module_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.plan.plan import Plan


def own_git(environ: Mapping[str, str], sandbox: str) -> OwnGit | None:
    """The git directory to mount into `sandbox`; None where its workspace has no repository of the usual form.

    No file is made: see `prepare`.

    :param sandbox: the identity of the sandbox
    """
    workspace = workspace_of(sandbox)
    repository = repository_of(workspace)
    if repository is None:
        return None
    place = place_of(environ, sandbox)
    return OwnGit(
        place.inside,
        place.empty,
        object_folders(workspace, repository.common),
        find_modules(workspace, repository.own),
    )


def place_in(plan: Plan) -> Place | None:
    """The place of the git directory that `plan` mounts; None where it mounts none."""
    return Place(os.path.dirname(plan.own_git.inside)) if plan.own_git is not None else None


def prepare(plan: Plan) -> bool:
    """Make the git directory that `plan` mounts, unless it exists.

    :returns: whether it was made by this call
    :raises EnvironmentFailure: it cannot be made
    """
    from sandboxd.exchange.leftover import note
    from sandboxd.exchange.seed import Seed, seed, seed_module

    place = place_in(plan)
    repository = repository_of(plan.workspace)
    if plan.own_git is None or place is None or repository is None:
        return False
    is_new = seed(repository, place, Seed(plan.own_git.targets))
    note(place, plan.sandbox)
    target = target_folder(plan.workspace)
    for module in plan.own_git.modules.modules:
        submodule = Repository(plan.workspace, module.common, module.common)
        worktree = posixpath.join(target, module.worktree)
        seed_module(submodule, place, module.path, Seed([module_target(module)], worktree=worktree))
    return is_new
