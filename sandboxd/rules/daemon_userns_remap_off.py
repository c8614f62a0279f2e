"""Root in a container is root on the host.

## What it is

`userns-remap` is not set.

## Why it is bad

With it the engine maps the users of containers to users that own nothing on the host. Then a process
that gets out is nobody:

    uid=100000 gid=100000

## What to do instead

`"userns-remap": "default"`, or a rootless engine. Bind mounts of a workspace then need ownership to
fit, which is why it is a hint only.

## Under gVisor

gVisor's own kernel is root of the host, with few capabilities, where it has the host's network; what
is reached through a bind mount is reached as root in any case.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
- https://docs.docker.com/engine/security/userns-remap/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._daemon import missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

META = RuleMeta(
    id="daemon-userns-remap-off",
    summary="root in a container is root on the host",
    severity=Severity.HINT,
    since="0.1.0",
    why="whoever gets out of a container as root is root",
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    if not subject.get("userns-remap"):
        message = "`userns-remap` is not set: root inside is root outside"
        caution = "existing images and containers are out of sight, and mounts change owners"
        yield missing(META, subject, "userns-remap", '"default"', message, caution)
