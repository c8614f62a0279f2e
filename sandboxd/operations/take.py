"""Takes commits that a sandbox made and that wait on the host, below `refs/sandboxd`, since they could not pass by themselves."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError, UsageError
from sandboxd.model.sandbox_id import option_of, sandbox_id
from sandboxd.operations import commits
from sandboxd.operations._folder import project_folder
from sandboxd.operations.interruption import lines

if TYPE_CHECKING:
    from sandboxd.operations.request import Request

NEEDS_FACTS = False


class Take(NamedTuple):
    """Commits that the host's `into` has now, and in which way; `ref` is where they waited.

    `acting` names the files on which tools of the host act, and which they change; '' for none.
    """

    ref: str
    into: str
    how: str
    acting: str


class Stay(NamedTuple):
    """Commits that go on waiting at `ref`, called `name` below those of the sandbox, the reason and the next step.

    `tip` is the id of what waits where it is taken once somebody agrees to what tools on the host would act on; else ''.
    """

    ref: str
    name: str
    why: str
    hint: str
    tip: str


class Took(NamedTuple):
    """What was taken and what was not. `checked_out`: the branch that the work tree is of moved."""

    takes: tuple[Take, ...]
    stays: tuple[Stay, ...]
    checked_out: bool


def serve(request: Request) -> Took:
    """Take what waits of the sandbox `name`: the ref `ref` below its own, '' for every branch.

    With the switch `acting` also what enters another repository or changes files that are shut inside. What inside
    has and the host not passes before, and what the host has now after it. Only that tip is taken whose id is `expect`,
    without which each that waited before commits passed: those that come meanwhile were shown to nobody.

    :raises UsageError: the folder has no repository, or the sandbox no git directory of its own; `acting` or `expect` of
        more than one ref, or `acting` of any tip
    :raises EnvironmentFailure: the repository cannot be read, or git does not work
    """
    from sandboxd.exchange import place, ref_names, take, words
    from sandboxd.plan.git_control import user_configs
    from sandboxd.plan.git_identity import git_identity

    workspace = os.path.realpath(project_folder(request.directory))
    sandbox = sandbox_id(workspace, request.name)
    repository = place.repository_of(workspace)
    if repository is None or not commits.has_own_git(request.environ, sandbox):
        raise UsageError(
            "nothing waits: this sandbox has no git directory of its own",
            f"`sandboxd review{option_of(request.name)}` shows what it changed",
        )
    ref, expected = request.optional_text("ref") or "", request.optional_text("expect") or ""
    acting = request.flag("acting")
    if (acting and not expected) or (expected and not ref):
        raise UsageError(
            "nobody looked at what would be taken", "name the branch, and its tip's id"
        )
    at = place.place_of(request.environ, sandbox)
    shown = {ref: expected} if expected else take.waiting(repository, at, request.name)
    _exchange(request, workspace)
    home = request.environ.get("HOME", "")
    identity = git_identity(workspace, user_configs(request.environ), home)
    took = take.take(
        repository,
        at,
        request.name,
        [ref] if ref else [],
        shown,
        acting=acting,
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
