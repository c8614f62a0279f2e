"""gVisor ignores the seccomp profile.

## What it is

A seccomp profile of your own with a gVisor runtime that is not told to apply it.

## Why it is bad

`runsc` does not hand the profile to anything unless `oci-seccomp` is on: what it denies works.
The sandbox is one layer, not two.

    grep Seccomp /proc/self/status    # 0, with --security-opt seccomp=profile.json

## What to do instead

Add the annotation `dev.gvisor.flag.oci-seccomp=true`, or the runtime argument `--oci-seccomp`.
Or remove the profile: gVisor's own kernel is the stronger of the two.

## Under gVisor

This is about gVisor only. The annotation needs no permission of the engine.
Seen with runsc 20240729.

## References

- https://gvisor.dev/docs/user_guide/faq/
- https://github.com/google/gvisor/blob/master/runsc/config/flags.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import filters_syscalls, shares_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="seccomp-ignored-by-runsc",
    summary="gVisor ignores the seccomp profile",
    severity=Severity.WARNING,
    since="0.1.0",
    why="what the profile denies works, since the runtime was not told to apply it",
    needs=(Field("security_opt"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.option("seccomp")
    if value is None or value.value.value in ("", "unconfined", "builtin"):
        return
    if shares_kernel(subject, host) or filters_syscalls(subject, host):
        return
    yield at_value(
        META,
        value,
        "gVisor ignores this profile: `oci-seccomp` is not on",
        value.value.value,
        remedies=(
            Remedy(
                "let gVisor apply the profile",
                safe=False,
                changes=(Add("annotations", "dev.gvisor.flag.oci-seccomp=true"),),
                caution="system calls that the profile denies fail",
            ),
        ),
    )
