"""The seccomp filter is switched off.

## What it is

`seccomp=unconfined` or `seccomp:unconfined` as a security option, in `securityOpt` or `runArgs`,
unless a later option names a profile: docker takes the last one.

## Why it is bad

Docker's default profile refuses the system calls that most container escapes of the last years
needed: `unshare` and new user namespaces with `mount` (CVE-2022-0185), `keyctl`, `bpf`,
`io_uring`, sockets of the kernel's crypto interface. Without it the whole kernel is in reach of
every process inside.

    unshare -Urm    # a user namespace of one's own: refused by the default profile

It takes one fault of the kernel more to get out, so it is a warning; with `SYS_ADMIN` or `privileged`
it is an error. It mostly stands in configs for the sake of debuggers, which have not needed it since Linux 4.8.

## What to do instead

Remove it. `gdb`, `lldb`, `delve`, `strace` and `rr` trace their own children under the default
profile. If one system call is really missing, use the default profile plus that call:
`seccomp=${localWorkspaceFolder}/.devcontainer/seccomp.json`. For bubblewrap inside, `nested_sandbox` in
sandboxd.toml opens five calls, on a private copy of the project.

## Under gVisor

gVisor has a system call table of its own and ignores docker's profile, unless `oci-seccomp` is
on. So the option has no effect, and is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/security/seccomp/
- https://nvd.nist.gov/vuln/detail/CVE-2022-0185
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import control_severity, filters_syscalls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="seccomp-unconfined",
    summary="the seccomp filter is switched off",
    severity=Severity.ERROR,
    since="0.1.0",
    why="system calls that escapes need, new namespaces and mounts among them, are open",
    needs=(Has("security_opt", "seccomp"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.option("seccomp")
    if value is None or value.value.value != "unconfined":
        return
    yield at_value(
        META,
        value,
        f"`{value.written}` leaves every system call of the kernel open: a bug in any is a way to the host",
        "seccomp=unconfined",
        control_severity(subject, host),
        (
            Remedy(
                "use the engine's default profile",
                safe=not filters_syscalls(subject, host),
                changes=(Remove(value),),
                caution="nested sandboxes and some profilers stop working",
            ),
        ),
    )
