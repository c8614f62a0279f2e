"""Judges an attempt: by its effect and by where the effect occurred, never by an error number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.verify.attempts import Attempt

Outcome = Literal["held", "escaped", "residual", "not-applicable", "not-judged", "inconclusive"]

OUTCOMES: tuple[Outcome, ...] = (
    "held", "residual", "not-applicable", "not-judged", "inconclusive", "escaped",
)  # fmt: skip
"""`not-judged`: it could only be judged on a host that nobody can examine. `residual`: it succeeds, as the profile
declares.
"""


class Host(NamedTuple):
    """Facts about the host: secrets that no attempt was told, its boot id, and its namespaces."""

    secrets: frozenset[str]
    boot_id: str
    namespaces: Mapping[str, frozenset[str]]


class Judgement(NamedTuple):
    outcome: Outcome
    evidence: str


def judge(
    attempt: Attempt,
    result: Mapping[str, Any],
    identity: Mapping[str, Any],
    host: Host,
    profile: str,
    damage: tuple[str, ...],
) -> Judgement:
    """The outcome of one attempt.

    :param result: what the inside reports: `state`, and the attempt's own evidence
    :param identity: what the inside reports about itself: `boot_id` and `namespaces`
    :param profile: the profile whose declared exceptions apply
    :param damage: effects that the host observed; they count whatever the inside reports
    """
    detail = str(result.get("detail", ""))[:200]
    if damage and attempt.judge == "arrival":
        return _open(attempt, profile, "; ".join(damage))
    if damage:
        return Judgement("escaped", "; ".join(damage))
    if attempt.judge == "token" and _is_secret(result, host):
        return _open(attempt, profile, f"read the host's secret: {detail}")
    if result["state"] == "not applicable":
        return Judgement("not-applicable", detail)
    if result["state"] == "unclear":
        return Judgement("inconclusive", detail)
    if result["state"] == "stopped":
        return Judgement("held", detail)
    return _judge_success(attempt, detail, identity, host, profile)


def _judge_success(
    attempt: Attempt, detail: str, identity: Mapping[str, Any], host: Host, profile: str
) -> Judgement:
    """The judgement of an attempt whose call succeeded: whether that has an effect on the host."""
    if attempt.judge == "token":
        return Judgement("held", _with(detail, "nothing of the host was read"))
    if attempt.judge == "open":
        return _open(attempt, profile, detail)
    if attempt.judge == "arrival":
        return Judgement("held", _with(detail, "nothing arrived outside"))
    if attempt.judge == "workspace":
        return Judgement("held", _with(detail, "the host sees no effect"))
    if not identity.get("boot_id") or not host.boot_id:
        return Judgement("inconclusive", f"{detail}, and which kernel did it cannot be seen")
    if identity["boot_id"] != host.boot_id:
        return Judgement("held", f"{detail}, in the sandbox's own kernel")
    if attempt.judge == "namespace":
        return _in_namespace(attempt, detail, identity, host)
    return _open(attempt, profile, f"{detail}, on the host's kernel")


def _with(detail: str, sentence: str) -> str:
    """`sentence`, and in brackets the report of the inside where there is one."""
    return f"{sentence} ({detail})" if detail else sentence


def _in_namespace(
    attempt: Attempt, detail: str, identity: Mapping[str, Any], host: Host
) -> Judgement:
    inside = identity["namespaces"].get(attempt.namespace)
    if not inside or not host.namespaces.get(attempt.namespace):
        return Judgement("inconclusive", f"{detail}, and in which namespace cannot be seen")
    if inside in host.namespaces[attempt.namespace]:
        return Judgement("escaped", f"{detail}, in the host's own {attempt.namespace} namespace")
    return Judgement("held", f"{detail}, in its own {attempt.namespace} namespace")


def _open(attempt: Attempt, profile: str, evidence: str) -> Judgement:
    """The judgement of a way that the profile leaves open on purpose: neither held nor escaped."""
    declared = attempt.declared.get(profile) or attempt.declared.get("*")
    if declared:
        return Judgement("residual", f"{evidence}; declared: {declared}")
    return Judgement("escaped", evidence)


def _is_secret(result: Mapping[str, Any], host: Host) -> bool:
    return str(result.get("token", "")).strip() in host.secrets
