"""SELinux is switched off for containers.

## What it is

`"selinux-enabled": false`, written out.

## Why it is bad

It is off by default, so who writes it has switched it off: usually after a mount that could not be
read, for which there is `:z`.

    ls -Z /proc/self/exe

## What to do instead

`true` on Fedora, RHEL and their like; label mounts with `:z` or `:Z`.

## Under gVisor

No difference: it is about the engine, not about what runs under it.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

META = RuleMeta(
    id="daemon-selinux-off",
    summary="selinux is switched off for containers",
    severity=Severity.HINT,
    since="0.1.0",
    why="on hosts with SELinux it is what keeps a process that got out from the host's files",
    needs=(Field("values"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    value = subject.values.get("selinux-enabled")
    if value is None or value.value is not False:
        return
    yield at_value(
        META,
        value,
        "`selinux-enabled` is off: no labels hold containers on hosts with SELinux",
        str(value.value),
        remedies=(
            Remedy(
                "set `selinux-enabled` to `true`",
                safe=False,
                changes=(Replace(value, "true"),),
                caution="mounts without a label (`:z`) cannot be read",
            ),
        ),
    )
