"""A large group may command the engine.

## What it is

`group` is a group that people or services are in by default: `users`, `staff`, `www-data` ...

## Why it is bad

The engine's socket belongs to that group, and who may write to it starts a container with the host's
root mounted:

    docker run -v /:/host alpine chroot /host

## What to do instead

A group for this purpose (`docker`) with as few members as can be, or a rootless engine for each user.

## Under gVisor

No difference: it is about the engine, not about what runs under it.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
- https://docs.docker.com/engine/install/linux-postinstall/
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
    id="daemon-group-wide",
    summary="a large group may command the engine",
    severity=Severity.ERROR,
    since="0.1.0",
    why="every member is root on this machine, and so is every program they run",
    needs=(Field("values"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    value = subject.values.get("group")
    if value is None or value.value not in _WIDE:
        return
    yield at_value(
        META,
        value,
        f"everybody in the group `{value.value}` is root through the engine's socket",
        str(value.value),
        remedies=(
            Remedy(
                "use the group `docker`",
                safe=False,
                changes=(Replace(value, '"docker"'),),
                caution="who is not in that group cannot use the engine",
            ),
        ),
    )


_WIDE = (
    *("users", "staff", "everyone", "nogroup", "nobody", "games", "adm", "www-data", "wheel"),
    *("sudo", "admin", "domain users"),
)
