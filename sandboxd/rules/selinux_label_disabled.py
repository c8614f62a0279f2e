"""SELinux does not confine the container.

## What it is

`label=disable` or `label:disable` as a security option. Often it is there to make a bind mount
readable.

## Why it is bad

On Fedora, RHEL and their kin, SELinux is what keeps a container that got out of its namespaces
from reading anything that is not its own. Without the label a process of the container is as
free as one of the host.

## What to do instead

Let the engine label the one mount: `:z`, or `:Z` for a folder that no other container uses. For
the engine's socket: see docker-socket-mounted.

## Under gVisor

gVisor needs it on SELinux hosts, and has a kernel of its own; it is a hint.

## References

- https://docs.docker.com/engine/storage/bind-mounts/#configure-the-selinux-label
- https://gvisor.dev/docs/user_guide/faq/
"""

from __future__ import annotations

from sandboxd._typing import TYPE_CHECKING
from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="selinux-label-disabled",
    summary="the container is not confined by SELinux",
    severity=Severity.WARNING,
    since="0.1.0",
    why="on SELinux hosts the label is what holds when a namespace does not",
    needs=("security_opt=label",),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.option("label")
    if value is None or value.value.value != "disable":
        return
    severity = kernel_severity(subject, host, Severity.WARNING, Severity.HINT)
    if host.selinux == "disabled":
        severity = Severity.HINT
    yield at_value(
        META,
        value,
        f"`{value.written}` switches SELinux off for the container",
        "label=disable",
        severity,
        (
            Remedy(
                "keep the label",
                safe=False,
                changes=(Remove(value),),
                caution="on SELinux hosts, mounts without `:z` cannot be read",
            ),
        ),
    )
