"""A comment allows a finding without saying why.

## What it is

A `sandboxd: allow <rule>` comment without a reason, or with `say why` in its place, which is only
where the editor's quick fix waits for it. Such a comment has no effect: the finding stays.

## Why it is bad

Nobody who reads it later, neither a reviewer nor you, can tell whether the decision still holds.

## What to do instead

Write the reason behind two dashes:

    // sandboxd: allow host-network -- the test suite talks to a device on the LAN

## Under gVisor

No difference.

## References

- https://github.com/hadolint/hadolint/issues/370
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import PLACEHOLDER, Finding, RuleMeta, Severity, is_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.suppression import Suppression

META = RuleMeta(
    id="suppression-without-reason",
    summary="a comment allows a finding without saying why",
    severity=Severity.WARNING,
    since="0.1.0",
    why="later nobody can tell whether the decision still holds; without a reason it has no effect",
)


def check(subject: Suppression, host: HostFacts) -> Iterator[Finding]:
    if is_reason(subject.reason) or not subject.known:
        return
    message = f"`{subject.rule}` is allowed here without a reason, so it is not allowed"
    if subject.reason:
        message += f": write the reason in place of `{PLACEHOLDER}`"
    yield Finding(META.id, META.severity, message, subject.place, subject.rule, why=META.why)
