"""Takes commits of a sandbox that wait below `refs/sandboxd` on the host because they could not be applied
automatically.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.engine.interruption import lines
from sandboxd.errors import SandboxdError, UsageError
from sandboxd.life import commits
from sandboxd.model.sandbox_id import option_of, sandbox_id
from sandboxd.operations._folder import project_folder
from sandboxd.operations.options import TakeOptions

if TYPE_CHECKING:
    from sandboxd.operations.request import Request

NEEDS_FACTS = False


class Take(NamedTuple):
    """Commits that were taken: where they waited (`ref`), into which branch they went, and in which way.

    `acting` names changed files on which tools of the host act; '' for none.
    """

    ref: str
    into: str
    how: str
    acting: str


class Stay(NamedTuple):
    """Commits that still wait at `ref`, with the reason and the next step. `name` is the ref below the sandbox's own.

    `tip` is the id of the waiting commit if only the user's consent to changes on which host tools act is missing; else
    ''.
    """

    ref: str
    name: str
    why: str
    hint: str
    tip: str


class Took(NamedTuple):
    """What was taken and what still waits. `checked_out`: whether the branch of the host's work tree moved."""

    takes: tuple[Take, ...]
    stays: tuple[Stay, ...]
    checked_out: bool


def serve(request: Request) -> Took:
    """Take the waiting commits that `TakeOptions` name.

    First, commits are exchanged with the sandbox, and again afterwards. Without `expect`, only tips are taken that
    waited before the exchange: later ones were shown to nobody.

    :raises UsageError: the folder has no repository, or the sandbox no git directory of its own; `expect` without one
        `ref`, or `acting` without `expect`
    :raises EnvironmentFailure: the repository cannot be read, or git fails
    """
    from sandboxd.exchange import place, ref_names, take, words
    from sandboxd.plan.git_identity import git_identity
    from sandboxd.plan.git_user_configs import user_configs

    options = request.read_options(TakeOptions)
    workspace = os.path.realpath(project_folder(request.directory))
    sandbox = sandbox_id(workspace, request.name)
    repository = place.repository_of(workspace)
    if repository is None or not commits.has_own_git(request.environ, sandbox):
        raise UsageError(
            "nothing waits: this sandbox has no git directory of its own",
            f"`sandboxd review{option_of(request.name)}` shows what it changed",
        )
    ref, expected = options.ref, options.expect
    if (options.acting and not expected) or (expected and not ref):
        raise UsageError(
            "nobody looked at what would be taken", "name the branch, and its tip's id"
        )
    at = place.place_of(request.environ, sandbox)
    shown = {ref: expected} if expected else take.waiting(repository, at, request.name)
    _exchange(request, workspace)
    home = request.environ.get("HOME", "")
    identity = git_identity(workspace, user_configs(request.environ, workspace), home)
    took = take.take(
        repository,
        at,
        request.name,
        [ref] if ref else [],
        shown,
        acting=options.acting,
        identity=dict(identity),
    )
    if took.takes:
        _exchange(request, workspace)
    return Took(
        tuple(Take(t.ref, t.into, t.how.value, words.named(t.acting)) for t in took.takes),
        tuple(
            Stay(one.ref, ref_names.parts_of(one.ref)[1], one.why, one.hint, one.tip)
            for one in took.stays
        ),
        took.checked_out,
    )


def _exchange(request: Request, workspace: str) -> None:
    """Exchange with the sandbox if it runs; what waits is taken without an engine, too."""
    from sandboxd.life import find

    with contextlib.suppress(SandboxdError):
        for container in find.project_containers(request.engine, workspace, request.name):
            tell = lines(request.progress, request.cancel)
            commits.exchange_with(request.engine, request.environ, container, tell)
