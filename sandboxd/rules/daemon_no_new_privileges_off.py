"""Setuid programs may raise privileges in every container.

## What it is

`no-new-privileges` is not `true`.

## Why it is bad

It is off by default, and each container has to switch it on for itself.

    pkexec /bin/sh    # on an image with an old polkit

## What to do instead

`"no-new-privileges": true`. A container that needs `sudo` can still ask for it with
`--security-opt no-new-privileges=false`.

## Under gVisor

gVisor ignores the setuid bit unless it is started with `--allow-suid`.
Seen with runsc 20240729, which does not have that option.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
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
    id="daemon-no-new-privileges-off",
    summary="setuid programs may raise privileges in every container",
    severity=Severity.HINT,
    since="0.1.0",
    why="a normal user inside becomes root through `sudo` or a setuid program with a bug",
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    if subject.get("no-new-privileges") is not True:
        message = "`no-new-privileges` is not on: setuid programs raise privileges in containers"
        caution = "`sudo` inside containers stops working"
        yield missing(META, subject, "no-new-privileges", "true", message, caution)
