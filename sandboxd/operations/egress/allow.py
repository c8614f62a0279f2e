"""Allow a name for a time."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import UsageError
from sandboxd.operations.egress import _project
from sandboxd.operations.egress._target import target
from sandboxd.operations.egress.gateways import none_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.egress.ledger import Line
    from sandboxd.egress.policy import Policy
    from sandboxd.operations.egress._project import ProjectWithGateway
    from sandboxd.operations.egress._target import Target
    from sandboxd.operations.egress.gateways import FindGateway

USUAL_SECONDS = 24 * 3600.0
"""The default duration of an approval, in seconds: one day."""

_REFUSALS = {
    "denied": (
        "is denied by a policy, and no approval changes that",
        "`sandboxd policy` shows which file says so",
    ),
    "canary": (
        "is a tripwire: nothing has a reason to ask for it",
        "look at what runs inside before anything else: `sandboxd egress log`",
    ),
    "outside": (
        "is not in the list of a policy, and no approval changes that",
        "`sandboxd policy` shows the list: `network_allow`",
    ),
    "no-grants": (
        "cannot be allowed: the policy forbids grants",
        "`sandboxd policy` shows which file does",
    ),
}


class Allowed(NamedTuple):
    """An approval that was given; `name` is the pattern, `until` is in seconds since 1970."""

    workspace: str
    name: str
    ports: tuple[int, ...]
    until: float
    once: bool
    replaced: bool
    """Whether it ended a denial of the same name."""
    is_live: bool
    """Whether a running gateway enforces it."""
    sandboxes: tuple[str, ...]
    """The names of the running sandboxes in which it is in force, '' for the unnamed one."""
    unasked: str
    """The reason why it is not known whether a gateway runs; '' if it is known."""


def allow(
    directory: str,
    environ: Mapping[str, str],
    text: str,
    *,
    duration: float = USUAL_SECONDS,
    once: bool = False,
    by: str = "shell",
    find: FindGateway = none_runs,
) -> Allowed:
    """Allow `text` (`NAME` or `NAME:PORT`) in the project that `directory` lies in.

    :param duration: seconds until it ends
    :param once: whether it also ends with its first connection
    :raises UsageError: the policy minimum or the profile forbids the name, it is no valid name, or it is allowed
        already
    """
    from sandboxd.egress.approvals import Approval
    from sandboxd.policy import approvals

    now = time.time()
    project = _project.open_project(directory, environ, now)
    meant = target(text)
    policy = project.policy
    _refuse(project, meant, policy, now)
    gateway, unasked = _project.running(project, environ, find)
    if gateway is not None:
        _refuse_address(meant, gateway.ledger().lines())
    until = now + duration
    serial = secrets.token_hex(8) if once else ""
    approval = Approval(meant.pattern, meant.ports, True, now, by, until, serial)
    approvals.add(environ, project.workspace, approval)
    if gateway is None and not unasked:
        # A gateway that started meanwhile may have read the policy before the approval.
        gateway, unasked = _project.running(project, environ, find)
    sandboxes = _project.follow(gateway)
    return Allowed(
        project.workspace,
        str(meant.pattern),
        meant.ports,
        until,
        once,
        meant.pattern in policy.denied,
        bool(sandboxes),
        sandboxes,
        unasked,
    )


def _refuse(project: ProjectWithGateway, meant: Target, policy: Policy, now: float) -> None:
    """Refuse an approval that would change nothing.

    :param policy: with the present approvals
    """
    from sandboxd.egress import words
    from sandboxd.egress.approvals import obstacle
    from sandboxd.egress.policy import decide

    if reason := obstacle(project.planned, meant.pattern, meant.ports, project.limits):
        message, hint = _REFUSALS[reason]
        raise UsageError(f"`{meant.pattern}` {message}", hint)
    for denied in policy.denied:
        if denied != meant.pattern and denied.covers(meant.pattern):
            raise UsageError(
                f"you denied `{denied}`, which `{meant.pattern}` is part of",
                f"`sandboxd egress deny --undo '{denied}'` first",
            )
    if meant.pattern.below or meant.pattern in policy.denied:
        return
    verdicts = [decide(project.planned, meant.pattern.host, port, now) for port in meant.ports]
    if all(verdict.allowed for verdict in verdicts):
        reason_text = words.verdict(verdicts[0], project.planned, meant.pattern.host)
        raise UsageError(
            f"`{meant}` needs no approval: {reason_text}",
            f"`sandboxd egress check {meant}` says the same",
        )


def _refuse_address(meant: Target, lines: Iterable[Line]) -> None:
    """Refuse a name that resolves to an address which is never dialled, whatever is approved."""
    for line in lines:
        if line.reason == "address" and meant.pattern.matches(line.name.lower().removesuffix(".")):
            address = f" ({line.detail})" if line.detail else ""
            raise UsageError(
                f"`{line.name}` resolves to an address that is never dialled{address}, and no "
                "approval changes that",
                "name what lies in a private network in sandboxd.toml: `[network] private`",
            )
