"""A rule asks a supervisor that the profile does not name.

## What it is

The action `SCMP_ACT_NOTIFY` without `listenerPath`.

## Why it is bad

The kernel hands such calls to a program of the host and waits for its answer. Without the socket of
one, runc does not start the container:

    listenerPath must be set if SCMP_ACT_NOTIFY is used

And a supervisor that decides by looking at pointers of the caller can be deceived: the caller
changes them after the look.

## What to do instead

Refuse or allow the call by its arguments (`SCMP_ACT_ERRNO`, `SCMP_ACT_ALLOW`).

## Under gVisor

gVisor has no supervisors. It ignores the profile unless `oci-seccomp` is on.
Not tried on a build.

## References

- https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html
- https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Finding, Place, RuleMeta, Severity
from sandboxd.syntax import go_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.seccomp import SeccompProfile

META = RuleMeta(
    id="seccomp-notify-without-listener",
    summary="a rule asks a supervisor that the profile does not name",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the container does not start",
)

_NOTIFY = "SCMP_ACT_NOTIFY"


def check(subject: SeccompProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.listener:
        return
    for rule in subject.rules:
        action = go_json.get(rule.node, "action")
        if rule.action == _NOTIFY and action is not None:
            names = ", ".join(name.value for name in rule.names)
            yield Finding(
                META.id,
                META.severity,
                f"`{_NOTIFY}` needs a supervisor, and `listenerPath` names none",
                Place(subject.path, action.span),
                names,
                why=META.why,
            )
