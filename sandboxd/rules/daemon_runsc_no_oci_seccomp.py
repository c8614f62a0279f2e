"""A gVisor runtime ignores seccomp profiles.

## What it is

A runtime whose binary is `runsc` without `--oci-seccomp` among its `runtimeArgs`.

## Why it is bad

`docker run --security-opt seccomp=profile.json` says nothing when the runtime ignores it, and `docker
inspect` shows the profile as if it were in force. gVisor's own system call table is the control:

    docker run --runtime=runsc --security-opt seccomp=deny-mkdir.json alpine mkdir /x    # works

## What to do instead

Add `--oci-seccomp` if profiles are to count; use denylists then, since gVisor breaks under an
allowlist.

## Under gVisor

It is about gVisor only. Processes that are started by `exec` have no filter in either case.
Seen with runsc 20240729; release-20260817 filters those as well.

## References

- https://gvisor.dev/docs/user_guide/quick_start/docker/
- https://github.com/google/gvisor/blob/master/runsc/config/flags.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

OFF = ("false", "0", "f", "F", "FALSE", "False")
"""Spellings that Go reads as false."""

META = RuleMeta(
    id="daemon-runsc-no-oci-seccomp",
    summary="a gVisor runtime ignores seccomp profiles",
    severity=Severity.HINT,
    since="0.1.0",
    why="a profile that is asked for is no second layer under this runtime",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    for runtime in subject.gvisors():
        setting = runtime.flag("oci-seccomp")
        if setting is None or setting[1] in OFF:
            yield at_value(
                META,
                runtime.name,
                f"the runtime `{runtime.name.value}` ignores seccomp profiles: "
                "`--oci-seccomp` is not set",
                runtime.name.value,
            )
