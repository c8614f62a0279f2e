"""A container of a Pod has no filter of system calls.

## What it is

Neither the container nor its Pod names a `seccompProfile`. Docker applies its default profile by itself;
Kubernetes applies none, unless the node's kubelet has `seccompDefault`.

## Why it is bad

All of the kernel's system calls are open, those that escapes start with among them (`unshare`,
`mount`, `keyctl`, `bpf`).

## What to do instead

Take the runtime's default profile for the whole Pod.

    spec:
      securityContext:
        seccompProfile:
          type: RuntimeDefault

It is a hint, since by itself its absence opens nothing.

## Under gVisor

gVisor answers the calls itself; the filter holds what it passes on.
Not tried on a build.

## References

- https://kubernetes.io/docs/tutorials/security/seccomp/
- https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._pods import at_pod, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.pod import Pod

META = RuleMeta(
    id="pod-seccomp-missing",
    summary="a container of a Pod has no filter of system calls",
    severity=Severity.HINT,
    since="0.1.0",
    why="every system call of the node's kernel is open, unless the kubelet sets a default",
)


def check(subject: Pod, host: HostFacts) -> Iterator[Finding]:
    # A privileged container has no filter, whatever is written.
    without = [
        container.name
        for container in subject.containers
        if container.seccomp is None and not container.is_privileged
    ]
    if not without or not subject.is_whole:
        return
    yield at_pod(
        META,
        subject,
        f"no seccomp profile is named for {listed(without)}: Kubernetes applies none by itself",
        "seccompProfile",
        remedies=(
            Remedy(
                "use the runtime's default profile",
                safe=False,
                changes=(Add("securityContext.seccompProfile.type", "RuntimeDefault"),),
                caution="programs that need new namespaces or `keyctl` fail",
            ),
        ),
    )
