"""A comment allows something that is not there.

## What it is

A `sandboxd: allow <rule> -- reason` comment without a finding of that rule on its line or the
line below, or with the name of a rule that does not exist.

## Why it is bad

It looks like a decision that still matters. And when the weak setting comes back one day, the old
comment allows it without anybody having decided so.

## What to do instead

Remove the comment, correct the name of the rule, or put it on the line of the setting or directly
above it.

## Under gVisor

A setting that is no finding under one runtime can be one under another: check with the runtime
that the project uses.

## References

- https://docs.astral.sh/ruff/rules/unused-noqa/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Finding, RuleMeta, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.suppression import Suppression

META = RuleMeta(
    id="unused-suppression",
    summary="a comment allows something that is not there",
    severity=Severity.WARNING,
    since="0.1.0",
    why="when the setting comes back, the old comment allows it unseen",
)


def check(subject: Suppression, host: HostFacts) -> Iterator[Finding]:
    if not subject.known:
        hint = f"; did you mean `{subject.suggestion}`?" if subject.suggestion else ""
        message = f"there is no rule `{subject.rule}`{hint}"
    elif subject.reason and subject.used is False:
        message = f"there is no `{subject.rule}` here to allow"
    else:
        return
    yield Finding(META.id, META.severity, message, subject.place, subject.rule, why=META.why)
