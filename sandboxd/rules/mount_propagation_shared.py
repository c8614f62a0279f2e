"""Mounts made inside show up on the host.

## What it is

A bind mount with `shared` or `rshared` propagation.

## Why it is bad

What is mounted below it inside is mounted on the host as well, over files there if need be. A
process that may mount (privileged, SYS_ADMIN: an error) puts a folder of its own over a folder
of the host. Shared mounts were also a part of the ways around runc's masks (CVE-2025-52881).

## What to do instead

`rslave`, if mounts that the host makes later have to be seen inside; else nothing.

## Under gVisor

Mounts inside are gVisor's own and do not propagate; it is a hint.
Not tried on a build.

## References

- https://docs.docker.com/engine/storage/bind-mounts/#configure-bind-propagation
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="mount-propagation-shared",
    summary="mounts made inside show up on the host",
    severity=Severity.ERROR,
    since="0.1.0",
    why="a process that may mount covers folders of the host",
    needs=(Has("mounts", "bind"),),
)


_SHARED = ("shared", "rshared", "bind-propagation=shared", "bind-propagation=rshared")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    may_mount = subject.is_privileged() or any(
        cap.value in ("ALL", "SYS_ADMIN") for cap in subject.cap_add
    )
    for mount in subject.mounts:
        shared = [option for option in mount.value.options if option in _SHARED]
        if mount.value.type != "bind" or not shared:
            continue
        yield at_value(
            META,
            mount,
            f"what is mounted below `{mount.value.target}` inside is mounted on the host as well",
            mount.value.source,
            kernel_severity(
                subject, host, Severity.ERROR if may_mount else Severity.WARNING, Severity.HINT
            ),
        )
