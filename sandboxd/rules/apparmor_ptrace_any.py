"""The profile lets every process be traced.

## What it is

`ptrace,` or `ptrace (trace),` without `peer=`.

## Why it is bad

A tracer reads and writes the memory of what it traces. Docker's own profile keeps tracing among
processes of the same profile, so that `--pid=host` alone does not hand over the host's processes:

    gdb -p $(pgrep -o sshd)

## What to do instead

`ptrace (trace,read,tracedby,readby) peer=NAME,` with the profile's own name.

## Under gVisor

gVisor ignores AppArmor profiles (it says so in its log), so the profile is no control there.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/apparmor/
- https://github.com/moby/profiles/blob/main/apparmor/template.go
- https://man7.org/linux/man-pages/man5/apparmor.d.5.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.apparmor import AppArmorProfile

META = RuleMeta(
    id="apparmor-ptrace-any",
    summary="the profile lets every process be traced",
    severity=Severity.WARNING,
    since="0.1.0",
    why="with the host's process namespace, or a bug in it, programs of the host are steered",
)


def check(subject: AppArmorProfile, host: HostFacts) -> Iterator[Finding]:
    if subject.attached:
        return
    name = subject.name.value
    for rule in subject.of("ptrace"):
        traces = not rule.rest or "trace" in rule.rest.replace("tracedby", "")
        if rule.deny or "peer=" in rule.rest or not traces:
            continue
        narrow = f"ptrace (trace,read,tracedby,readby) peer={name}"
        yield at_value(
            META,
            rule.value,
            f"`{rule.value.value},` lets processes outside of the container be traced as well",
            "ptrace",
            remedies=(
                Remedy(
                    f"allow it among processes of `{name}`",
                    safe=False,
                    changes=(Replace(rule.value, narrow),),
                    caution="processes of other profiles cannot be traced",
                ),
            ),
        )
