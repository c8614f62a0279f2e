"""A Feature takes protection from the container.

## What it is

A Feature of the official collection that asks for more than installing programs: `docker-in-docker`
(privileged), `docker-outside-of-docker` (the engine's socket), `go` and `rust` (tracing, and no seccomp
filter at all). Those of the project itself are read, and judged like settings of the file.

## Why it is bad

A Feature may set `privileged`, `capAdd`, `securityOpt` and `mounts`, and the file that names it cannot
take them back: `"privileged": false` loses, and a profile in `runArgs` loses against the Feature's
`seccomp=unconfined`.

    docker run -v /:/host alpine chroot /host    # inside, with docker-outside-of-docker

## What to do instead

- `docker-outside-of-docker`: run what needs docker outside, or in a virtual machine of its own.
- `docker-in-docker`: the same, or gVisor, under which `privileged` gives no right on the host.
- `go`, `rust`: images that have them and no such settings (`golang`, `rust`), or
  `"securityOpt": ["seccomp=profile.json"]` in the file itself, which comes after the Feature's. Debuggers
  have needed neither since Linux 4.8.

## Under gVisor

`privileged`, capabilities and the missing filter give nothing on the host, so they are a warning or a
hint there. The engine's socket does as soon as `host-uds` is on.
Seen with runsc 20240729.

## References

- https://containers.dev/implementors/features/
- https://github.com/devcontainers/features/tree/main/src
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.model.feature import asks
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import host_sockets_open, kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="feature-weakens-sandbox",
    summary="a feature takes protection from the container",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the weak setting stands in a file that nobody of the project reads",
    needs=(Field("features"),),
)

_SOCKET = "/var/run/docker.sock"


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.features:
        wants = asks(value.value)
        if not wants:
            continue
        severity, effect = _judge(wants, subject, host)
        yield at_value(
            META,
            value,
            f"the Feature `{value.written}` {effect}",
            value.value.id,
            severity,
            remedies=(
                Remedy(
                    "remove the Feature",
                    safe=False,
                    changes=(Remove(value),),
                    caution="what it installs is gone",
                ),
            ),
        )


def _judge(wants: tuple[str, ...], subject: Container, host: HostFacts) -> tuple[Severity, str]:
    if _SOCKET in wants:
        shut = not host_sockets_open(subject, host)
        severity = kernel_severity(subject, host, Severity.ERROR, Severity.WARNING)
        return (severity if shut else Severity.ERROR), (
            f"mounts the engine's socket `{_SOCKET}`: code inside starts a container that owns the host"
        )
    if "privileged" in wants:
        severity = kernel_severity(subject, host, Severity.ERROR, Severity.WARNING)
        return severity, "makes the container privileged: root inside mounts the host's disks"
    profile = subject.option("seccomp")
    # A profile in `runArgs` comes before the Feature's word, one in `securityOpt` after it.
    if (
        profile is not None
        and profile.origin.kind == "file"
        and profile.origin.key == "securityOpt"
        and profile.value.value != "unconfined"
    ):
        return Severity.HINT, "adds SYS_PTRACE: programs inside read each other's memory"
    severity = kernel_severity(subject, host, Severity.WARNING, Severity.HINT)
    return severity, (
        "switches the seccomp filter off and adds SYS_PTRACE: a bug anywhere in the kernel is in reach"
    )
