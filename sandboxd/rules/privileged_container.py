"""The container is privileged.

## What it is

`--privileged` in `runArgs`, or `"privileged": true`. It gives the container every capability and
every device of the host, and turns seccomp and AppArmor off. Dropped capabilities and a seccomp
profile of your own are ignored as well.

## Why it is bad

Whoever runs code in the container owns the host. The shortest way is three commands: find the
host's disk in `/dev`, mount it, and write into it.

    mount /dev/sda1 /mnt && echo 'ssh-ed25519 AAAA...' >> /mnt/root/.ssh/authorized_keys

A malicious dependency, a prompt-injected agent or a build script can do that as well as you.

## What to do instead

Remove it, and give back what is really needed:

- Debuggers need nothing: `ptrace` of one's own processes works with no capability at all.
- A device: `--device=/dev/ttyUSB0`.
- Docker inside: a daemon of its own in a virtual machine, or a gVisor runtime that allows it.
- A capability: `--cap-add=NET_ADMIN` rather than all 41.

Where a hook or the image of the project needs it itself, no fix is offered: it would break the project.

## Under gVisor

The capabilities are virtual and the devices cannot be opened: the host is not reached. But
privileged code inside can mount over and re-mount what `sandboxd` pins read-only, so it stays a
warning.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#privileged
- https://gvisor.dev/docs/tutorials/docker-in-gvisor/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import kernel_severity
from sandboxd.rules._uses import user_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="privileged-container",
    summary="the container is privileged",
    severity=Severity.ERROR,
    since="0.1.0",
    why="it can mount the host's disks and load kernel modules; seccomp and AppArmor are off",
    needs=(Field("privileged"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.privileged
    if value is None or not value.value:
        return
    user = user_of(subject, "privileged")
    message = "`privileged` gives the container every capability and every device of the host"
    yield at_value(
        META,
        value,
        f"{message}; there is no fix, as {user} needs it" if user else message,
        "privileged",
        kernel_severity(subject, host, Severity.ERROR, Severity.WARNING),
        ()
        if user
        else (
            Remedy(
                "run the container without `privileged`",
                safe=False,
                changes=(Remove(value),),
                caution="mounting, opening devices and Docker inside stop working",
            ),
        ),
    )
