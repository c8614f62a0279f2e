"""SELinux does not confine the container.

## What it is

`label=disable` or `label:disable` as a security option, or a label that comes to the same:
`type:spc_t`, `type:unconfined_t`, and the level `s0:c0.c1023`, which covers those of all containers.
Often it is there to make a bind mount readable.

## Why it is bad

On Fedora, RHEL and their kin, SELinux is what keeps a container that got out of its namespaces
from reading anything that is not its own. Without the label a process of the container is as
free as one of the host.

## What to do instead

Let the engine label the one mount: `:z`, or `:Z` for a folder that no other container uses. For
the engine's socket: see docker-socket-mounted.

## Under gVisor

gVisor needs it on SELinux hosts, and has a kernel of its own; it is a hint.
Not tried on a build.

## References

- https://docs.docker.com/engine/storage/bind-mounts/#configure-the-selinux-label
- https://gvisor.dev/docs/user_guide/faq/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
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
    needs=(Has("security_opt", "label"),),
)


# Types of the policy that may do everything, and the level that covers those of all containers.
UNCONFINED = {
    "disable": "switches SELinux off for the container",
    "type:spc_t": "gives the container the type of a privileged one, which SELinux does not confine",
    "type:unconfined_t": "gives the container the type of a user's own session, which SELinux does not confine",
    "type:unconfined_service_t": "gives the container a type that SELinux does not confine",
    "type:container_runtime_t": "gives the container the type of the engine, which SELinux does not confine",
    "type:kernel_t": "gives the container the type of the kernel",
    "level:s0:c0.c1023": "opens the files of all other containers to this one",
}


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.security_opt:
        label = value.value.value.replace("=", ":")
        effect = UNCONFINED.get(label) if value.value.name == "label" else None
        if effect is None:
            continue
        severity = kernel_severity(subject, host, Severity.WARNING, Severity.HINT)
        if host.selinux == "disabled":
            severity = Severity.HINT
        yield at_value(
            META,
            value,
            f"`{value.written}` {effect}",
            f"label={label}",
            severity,
            (
                Remedy(
                    "keep the engine's label",
                    safe=False,
                    changes=(Remove(value),),
                    caution="on SELinux hosts, mounts without `:z` cannot be read",
                ),
            ),
        )
