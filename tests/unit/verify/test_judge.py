"""The five judges: effect and place decide, error numbers never do."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.backends.docker.in_replica import declaring_profile, unless_missing
from sandboxd.verify.attempts import EGRESS, Attempt, Judge
from sandboxd.verify.judge import Host, Judgement, Outcome, judge
from sandboxd.verify.verdict import Result, Verdict

HOST = Host(frozenset({"secret"}), "host-boot", {"net": frozenset({"net:[1]", "net:[2]"})})
ON_HOST = {"boot_id": "host-boot", "namespaces": {"net": "net:[9]"}}
IN_SENTRY = {"boot_id": "own-boot", "namespaces": {"net": "net:[1]"}}
DONE: dict[str, Any] = {"state": "done", "detail": "it worked"}


def attempt(by: Judge, declared: dict[str, str] | None = None) -> Attempt:
    return Attempt("x", "x", by, {"runc": "", "runsc": ""}, declared or {}, "net")


def outcome(
    by: Judge,
    result: dict[str, Any],
    identity: dict[str, Any],
    damage: tuple[str, ...] = (),
    profile: str = "dev",
    declared: dict[str, str] | None = None,
) -> str:
    return judge(attempt(by, declared), result, identity, HOST, profile, damage).outcome


@pytest.mark.parametrize(
    ("by", "identity", "expected"),
    [
        ("kernel", ON_HOST, "escaped"),
        ("kernel", IN_SENTRY, "held"),
        ("surface", ON_HOST, "escaped"),
        ("surface", IN_SENTRY, "held"),
        ("namespace", ON_HOST, "held"),
        ("namespace", {**ON_HOST, "namespaces": {"net": "net:[2]"}}, "escaped"),
        # A sentry's namespace may have the host's number by accident.
        ("namespace", IN_SENTRY, "held"),
        ("namespace", {**ON_HOST, "namespaces": {}}, "inconclusive"),
        ("kernel", {"boot_id": "", "namespaces": {}}, "inconclusive"),
        ("kernel", {}, "inconclusive"),
        ("token", ON_HOST, "held"),
        ("workspace", ON_HOST, "held"),
        ("arrival", ON_HOST, "held"),
    ],
)
def test_success_counts_by_where_it_was(by: Judge, identity: dict[str, Any], expected: str) -> None:
    assert outcome(by, DONE, identity) == expected


@pytest.mark.parametrize("by", ["token", "workspace"])
def test_evidence_without_a_detail_has_no_empty_brackets(by: Judge) -> None:
    bare = judge(attempt(by), {**DONE, "detail": ""}, ON_HOST, HOST, "dev", ())
    assert "(" not in bare.evidence
    assert judge(attempt(by), DONE, ON_HOST, HOST, "dev", ()).evidence.endswith(" (it worked)")


@pytest.mark.parametrize("identity", [ON_HOST, IN_SENTRY, {}])
def test_a_secret_of_the_host_counts_anywhere(identity: dict[str, Any]) -> None:
    assert outcome("token", {**DONE, "token": "secret\n"}, identity) == "escaped"
    assert outcome("token", {**DONE, "token": "image's own file"}, identity) == "held"


@pytest.mark.parametrize("state", ["stopped", "done", "unclear", "not applicable"])
def test_damage_counts_whatever_the_inside_says(state: str) -> None:
    result = {"state": state, "detail": "read-only file system"}
    assert outcome("workspace", result, IN_SENTRY, ("the host's file is emptied",)) == "escaped"


def test_what_did_not_run_is_never_held() -> None:
    assert outcome("kernel", {"state": "unclear", "detail": "killed"}, ON_HOST) == "inconclusive"
    assert outcome("kernel", {"state": "not applicable"}, ON_HOST) == "not-applicable"
    assert outcome("kernel", {"state": "stopped"}, ON_HOST) == "held"


def test_only_the_profile_that_declares_it_leaves_it_open() -> None:
    declared = {"dev": "debuggers need it"}
    assert outcome("surface", DONE, ON_HOST, profile="dev", declared=declared) == "residual"
    assert outcome("surface", DONE, ON_HOST, profile="agent", declared=declared) == "escaped"
    assert outcome("surface", DONE, ON_HOST, profile="", declared=declared) == "escaped"
    assert outcome("surface", DONE, ON_HOST, profile="", declared={"*": "always"}) == "residual"


def test_damage_is_never_declared_away() -> None:
    declared = {"*": "always"}
    assert outcome("workspace", DONE, ON_HOST, ("gone",), declared=declared) == "escaped"


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (["held", "residual", "not-applicable"], 0),
        (["held", "escaped"], 6),
        (["held", "inconclusive"], 4),
        (["escaped", "inconclusive"], 6),
        # Nothing that was really tried proves nothing.
        (["not-applicable"], 4),
        ([], 4),
    ],
)
def test_exit_codes(outcomes: list[Any], code: int) -> None:
    results = tuple(Result(str(i), "", o, "", "") for i, o in enumerate(outcomes))
    verdict = Verdict("c", "runc", "host", "dev", results)
    assert verdict.exit_code == code
    assert verdict.held == (code == 0)


@pytest.mark.parametrize("by", ["kernel", "surface", "namespace"])
def test_without_the_host_s_boot_id_no_kernel_is_another(by: Judge) -> None:
    """An empty id differs from every id inside, and says nothing."""
    blind = HOST._replace(boot_id="")
    for identity in (ON_HOST, IN_SENTRY):
        judged = judge(attempt(by), DONE, identity, blind, "dev", ())
        assert judged.outcome == "inconclusive"


def test_without_the_host_s_namespaces_none_is_another() -> None:
    blind = HOST._replace(namespaces={})
    assert judge(attempt("namespace"), DONE, ON_HOST, blind, "dev", ()).outcome == "inconclusive"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("held", "inconclusive"),
        ("not-applicable", "inconclusive"),
        ("escaped", "escaped"),
        ("residual", "residual"),
        ("inconclusive", "inconclusive"),
    ],
)
def test_an_attempt_without_its_bait_shows_nothing_by_finding_nothing(
    outcome: Outcome, expected: str
) -> None:
    missing = {"x": "no listener could be opened"}
    judged = unless_missing(attempt("token"), Judgement(outcome, "why"), missing)
    assert judged.outcome == expected
    assert unless_missing(attempt("token"), Judgement(outcome, "why"), {}).outcome == outcome


def test_what_arrived_outside_counts_whatever_the_inside_says_unless_it_is_declared() -> None:
    arrived = ("the host received it from 198.18.4.1",)
    for state in ("done", "stopped", "unclear", "not applicable"):
        assert outcome("arrival", {"state": state}, IN_SENTRY, arrived) == "escaped"
    assert outcome("arrival", DONE, ON_HOST, arrived, declared={"dev": "open"}) == "residual"
    assert outcome("arrival", DONE, ON_HOST, arrived, "", {"dev": "open"}) == "escaped"


@pytest.mark.parametrize(
    ("group", "is_behind", "profile"),
    [("", False, "dev"), ("", True, "dev"), (EGRESS, False, "dev"), (EGRESS, True, "")],
)
def test_behind_a_gateway_no_profile_leaves_the_network_open(
    group: str, is_behind: bool, profile: str
) -> None:
    of_group = attempt("arrival")._replace(group=group)
    assert declaring_profile(of_group, "dev", is_behind) == profile
