"""A rule for a system call takes the effect of another one.

## What it is

A call is named by a rule without conditions on its arguments, and by another rule for the same
containers with conditions or with another action.

## Why it is bad

The rule without conditions takes all calls of that name, wherever it stands. The condition that
somebody wrote with care is then without effect:

    {"names": ["clone", "read"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
     "args": [{"index": 0, "value": 2114060288, "op": "SCMP_CMP_MASKED_EQ"}]}    # never asked

Of two without conditions the first one wins.

## What to do instead

Name the call once for each case; take it out of the plain list when it has a rule of its own.

## Under gVisor

The same where `oci-seccomp` is on; else it ignores the whole profile.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://man7.org/linux/man-pages/man3/seccomp_rule_add.3.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Related, Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import SeccompProfile, SeccompRule
    from sandboxd.model.values import Value

META = RuleMeta(
    id="seccomp-duplicate-rule",
    summary="a rule for a system call takes the effect of another one",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a rule without conditions takes all calls of its name, whatever another one says",
)


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    for call, rules in subject.by_name.items():
        if len(rules) < 2:
            continue
        winner = next(((value, rule) for value, rule in rules if not rule.args), None)
        if winner is None:
            continue
        for value, rule in rules:
            if rule is not winner[1] and _same_case(rule, winner[1]):
                finding = _finding(call, value, rule, *winner)
                if finding is not None:
                    yield finding


def _same_case(rule: SeccompRule, other: SeccompRule) -> bool:
    return rule.includes == other.includes and rule.excludes == other.excludes


def _finding(
    call: str,
    value: Value[str],
    rule: SeccompRule,
    winner: Value[str],
    winning: SeccompRule,
) -> Finding | None:
    if not rule.args and rule.action == winning.action:
        return None
    does = "is allowed" if winning.action == "SCMP_ACT_ALLOW" else f"gets `{winning.action}`"
    what = "this condition is never asked" if rule.args else "this rule has no effect"
    there = (Related(winner.place, "this one is in force"),) if winner.place else ()
    return at_value(
        META,
        value,
        f"`{call}` {does} whatever its arguments are: {what}",
        call,
        remedies=(
            Remedy(
                f"take `{call}` out of the rule without conditions",
                safe=False,
                changes=(Remove(winner),),
                caution=f"calls of `{call}` that meet no condition get the default action",
            ),
        )
        if rule.args
        else (),
        related=there,
    )
