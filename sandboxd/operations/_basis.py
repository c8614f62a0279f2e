"""What the user allowed when a start was planned: policy and grants, which may change while its image is built."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.policy import trust
from sandboxd.policy.in_force import in_force

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandboxd.plan.plan import Plan
    from sandboxd.policy.floor import Floor
    from sandboxd.project import Project


class Basis(NamedTuple):
    """The user's own files at one moment."""

    grants: frozenset[trust.Grant] | None = None
    """All grants; None where they cannot be read."""
    demands: Floor | None = None
    """The policy minimum in force; None where it cannot be read."""


def read(environ: Mapping[str, str]) -> Basis:
    """What the user allows now; whoever plans by it says what cannot be read."""
    grants: frozenset[trust.Grant] | None = None
    demands: Floor | None = None
    with contextlib.suppress(UsageError):
        grants = frozenset(trust.grants(environ))
    with contextlib.suppress(UsageError, EnvironmentFailure):
        demands = in_force(environ)
    return Basis(grants, demands)


def require_same(
    before: Basis, project: Project, plan: Plan, plan_again: Callable[[], Plan]
) -> None:
    """Refuse a start of `plan` if what the user allows by now does not lead to the same plan any more.

    The content of the config is the one that was read at first: an edit of the file is none of this.

    :param before: read before `plan` was made
    :param plan_again: makes the plan anew; only called if grants of the project or the policy are other ones now, or
        if it is not known whether they are
    :raises UsageError: a grant that it needs was revoked, or the policy does not allow it any more
    """
    now = read(project.environ)
    if _is_as_wide(before, now, project.grantee):
        return
    if plan_again() != plan:
        raise UsageError(
            f"what you allow `{project.workspace}` was changed while its sandbox was being started",
            "run the same command again, which plans by what you allow now",
        )


def _is_as_wide(before: Basis, now: Basis, grantee: str) -> bool:
    """Whether the policy is the same, and no grant of the project is gone; False where one cannot be read."""
    if before.grants is None or now.grants is None or before.demands is None:
        return False
    gone = before.grants - now.grants
    return now.demands == before.demands and all(grant.workspace != grantee for grant in gone)
