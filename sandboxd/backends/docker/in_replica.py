"""Judges attempts made in a replica: by their reports from inside and by what the host observed meanwhile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.verify.judge import Judgement, judge
from sandboxd.verify.verdict import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.backends.docker.way_out import WayOut
    from sandboxd.verify.attempts import Attempt
    from sandboxd.verify.canary import Canaries
    from sandboxd.verify.inside import Report
    from sandboxd.verify.judge import Host


class Known(NamedTuple):
    """The reports from inside, and what is known about the container."""

    report: Report
    """The report from the replica."""
    in_use: Report
    """The report from the sandbox itself; empty if there is none."""
    runtime_path: str
    """The path of the runtime's program on the host; '' if it is not known."""
    profile: str
    is_behind: bool
    """Whether its only network is through a gateway."""
    opens_nested: bool
    """Whether the system calls of `nested_sandbox` are allowed on purpose."""
    losses: Mapping[str, str]
    """Why controls of the plan are not in force here, as `up` names it, by control."""


class Judges:
    """Judges attempts while `canaries` and `out` still observe the host."""

    def __init__(self, known: Known, canaries: Canaries, out: WayOut) -> None:
        self._known, self._canaries, self._out = known, canaries, out
        host = canaries.host
        self._host: Host = host._replace(secrets=host.secrets | out.secrets)
        self._identity = believable_identity(
            known.report.identity, host.boot_id, known.runtime_path
        )
        self.has_own_kernel = has_own_kernel(self._identity, host.boot_id)

    def results(self, attempts: Iterable[Attempt]) -> list[Result]:
        runtime = "runsc" if self.has_own_kernel else "runc"
        judged = [(attempt, self.judge(attempt)) for attempt in attempts]
        return [
            Result(a.id, a.title, j.outcome, a.expected[runtime], j.evidence, a.group)
            for a, j in judged
        ]

    def judge(self, attempt: Attempt) -> Judgement:
        """The judgement by the replica; if the one by the sandbox itself is worse, that one."""
        record = self._record(attempt)
        damage = self._canaries.damage(attempt.id, record) + self._out.arrivals(attempt.id)
        if self._out.is_local_refusal(record):
            record = {"state": "stopped", "detail": "it asks the gateway, which denies"}
        profile = declaring_profile(attempt, self._known.profile, self._known.is_behind)
        attempt = self._with_declared(attempt, profile)
        judged = judge(attempt, record, self._identity, self._host, profile, damage)
        judged = unless_missing(attempt, judged, self._canaries.missing)
        if judged.outcome == "held" and (why := self._out.missing(attempt.id)):
            judged = Judgement("inconclusive", why)
        worse = self._known.in_use.records.get(attempt.id)
        if worse is None:
            return judged
        return _lower(judged, judge(attempt, worse, self._identity, self._host, profile, ()))

    def _record(self, attempt: Attempt) -> Mapping[str, Any]:
        report = self._known.report
        return report.records.get(attempt.id) or {"state": "unclear", "detail": report.reason}

    def _with_declared(self, attempt: Attempt, profile: str) -> Attempt:
        if why := self._out.declared(attempt.id):
            return attempt._replace(declared={profile: why})
        attempt = with_losses(attempt, self._known.losses, profile)
        if self._known.opens_nested and (why := attempt.declared.get("nested_sandbox", "")):
            return attempt._replace(declared={profile: why})
        return attempt


def with_losses(attempt: Attempt, losses: Mapping[str, str], profile: str) -> Attempt:
    """`attempt`, declared open in `profile` where one of the controls that it is about is lost on this host.

    :param losses: why, by control, as `up` has named it
    """
    lost = [why for name in attempt.controls if (why := losses.get(name, ""))]
    if not lost:
        return attempt
    return attempt._replace(declared={profile: f"{lost[0]}, as `up` names it"})


def _lower(judged: Judgement, in_use: Judgement) -> Judgement:
    """The worse of both judgements; the sandbox in use cannot improve one."""
    worse = in_use.outcome in ("escaped", "residual") and judged.outcome != "escaped"
    return in_use if worse else judged


def believable_identity(
    identity: Mapping[str, Any], host_boot_id: str, runtime_path: str
) -> Mapping[str, Any]:
    """The identity that was reported from inside, without the claim of an own kernel if the runtime cannot provide
    one.
    """
    shared = os.path.basename(runtime_path) in ("runc", "crun", "docker-runc", "youki")
    if shared and identity.get("boot_id") != host_boot_id:
        return {**identity, "boot_id": ""}
    return identity


def declaring_profile(attempt: Attempt, profile: str, is_behind: bool) -> str:
    """The profile whose declared exceptions apply to an attempt; '' for none: behind a gateway, no exception about the
    network applies.
    """
    return "" if is_behind and attempt.group else profile


def has_own_kernel(identity: Mapping[str, Any], host_boot_id: str) -> bool:
    """Whether the inside has another kernel than the host; False if one of the boot ids is not known."""
    boot_id = identity.get("boot_id")
    return bool(boot_id and host_boot_id) and boot_id != host_boot_id


def unless_missing(attempt: Attempt, judged: Judgement, missing: Mapping[str, str]) -> Judgement:
    """`judged`, but inconclusive if there was no bait for the attempt."""
    if attempt.id in missing and judged.outcome in ("held", "not-applicable"):
        return Judgement("inconclusive", missing[attempt.id])
    return judged
