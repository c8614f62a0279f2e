"""Builds may ask for the whole host.

## What it is

`security-insecure` or `network-host` switched on below `builder.entitlements`.

## Why it is bad

A Dockerfile asks for it by itself, and the build runs on the host's kernel whatever runtime the
container would have had:

    RUN --security=insecure mount /dev/sda1 /mnt

## What to do instead

Remove it, and allow it for a single build of your own: `docker buildx build --allow`.

## Under gVisor

Builds do not run under gVisor, whatever the default runtime is.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
- https://docs.docker.com/build/buildkit/configure/
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
    id="daemon-build-insecure",
    summary="builds may ask for the whole host",
    severity=Severity.ERROR,
    since="0.1.0",
    why="one line in anybody's Dockerfile then runs with all privileges",
    needs=(Field("values"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    for name in ("security-insecure", "network-host"):
        value = subject.values.get(f"builder.entitlements.{name}")
        if value is None or value.value is not True:
            continue
        yield at_value(
            META,
            value,
            f"`{name}` lets any Dockerfile take it for its build steps",
            name,
            remedies=(
                Remedy(
                    f"switch `{name}` off",
                    safe=False,
                    changes=(Replace(value, "false"),),
                    caution="builds that ask for it fail",
                ),
            ),
        )
