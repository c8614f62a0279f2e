"""A build step mounts something, which old builders get wrong.

## What it is

`RUN --mount=type=bind` or `type=cache` in a Dockerfile. One hint for a file, at the first of them.

## Why it is bad

BuildKit before 0.12.5 (Docker before 25.0.2) could be tricked by the file of a stranger into
removing files of the host when it cleaned up the mount points (CVE-2024-23652), and two builds
that shared a cache could race each other into seeing the host's files (CVE-2024-23651).

    RUN --mount=type=bind,from=evil,target=/x true

## What to do instead

Nothing for one's own files, but for keeping the engine up to date. For the repository of a
stranger: build it in a virtual machine, or with an engine that is not too old.

## Under gVisor

No difference: images are built by BuildKit on the kernel of the host, whatever runtime the
container uses.

## References

- https://nvd.nist.gov/vuln/detail/CVE-2024-23652
- https://nvd.nist.gov/vuln/detail/CVE-2024-23651
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.image import Image

META = RuleMeta(
    id="dockerfile-run-mount-untrusted",
    summary="a build step mounts something, which old builders get wrong",
    severity=Severity.HINT,
    since="0.1.0",
    why="builders before BuildKit 0.12.5 could be led to files of the host by it",
    needs=(Field("stages"),),
)


def check(subject: Image, host: HostFacts) -> Iterator[Finding]:
    for instruction in subject.instructions("RUN"):
        for flag, written in instruction.flag("mount"):
            kind = next(
                (part[5:] for part in written.split(",") if part.startswith("type=")), "bind"
            )
            if kind in ("bind", "cache"):
                value = subject.value(flag.value, flag.span, flag.value, "RUN")
                message = (
                    f"a build step mounts by `type={kind}`: build it with BuildKit 0.12.5 or newer"
                )
                yield at_value(META, value, message, "mount")
                return
