"""The engine starts containers without a seccomp filter.

## What it is

`"seccomp-profile": "unconfined"`.

## Why it is bad

It takes docker's own profile from all containers that do not name one, which is nearly all:

    unshare -Urm    # works in every container

## What to do instead

Remove it. For a single program that needs more, give its container a profile.

## Under gVisor

gVisor ignores the profile unless `oci-seccomp` is on.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

META = RuleMeta(
    id="daemon-seccomp-unconfined",
    summary="the engine starts containers without a seccomp filter",
    severity=Severity.ERROR,
    since="0.1.0",
    why="system calls that escapes need are open in every container of this machine",
    needs=(Field("values"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    value = subject.values.get("seccomp-profile")
    if value is None or value.value != "unconfined":
        return
    yield at_value(
        META,
        value,
        "`unconfined` is the seccomp profile of every container that names none",
        "unconfined",
        remedies=(
            Remedy(
                "use docker's own profile",
                safe=False,
                changes=(Remove(value),),
                caution="nested sandboxes and some profilers stop working",
            ),
        ),
    )
