"""The masks over /proc and /sys are taken away.

## What it is

`systempaths=unconfined` as a security option.

## Why it is bad

Docker hides `/proc/kcore`, `/proc/keys`, `/proc/sched_debug` and `/sys/firmware`, and mounts
`/proc/sys`, `/proc/sysrq-trigger` and `/proc/irq` read-only. Without the masks, root inside
writes kernel settings that hold for the host:

    echo '|/path/on/host' > /proc/sys/kernel/core_pattern    # runs at the next crash, as root

An ordinary user inside still cannot, so it is only one `sudo` away.

## What to do instead

Remove it. Nested containers (podman, buildkit) ask for it; give them a virtual machine or
gVisor.

## Under gVisor

`/proc` is gVisor's own, and the host's settings are not in it; it is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#security-opt
- https://nvd.nist.gov/vuln/detail/CVE-2025-31133
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
    id="systempaths-unconfined",
    summary="the masks over /proc and /sys are taken away",
    severity=Severity.ERROR,
    since="0.1.0",
    why="root inside writes kernel settings of the host, core_pattern among them",
    needs=(Has("security_opt", "systempaths"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.option("systempaths")
    if value is None or value.value.value != "unconfined":
        return
    yield at_value(
        META,
        value,
        f"`{value.written}` lets root inside write the host's kernel settings below /proc/sys",
        "systempaths=unconfined",
        kernel_severity(subject, host, Severity.ERROR, Severity.HINT),
        (
            Remedy(
                "keep the masks",
                safe=False,
                changes=(Remove(value),),
                caution="containers inside the container stop working",
            ),
        ),
    )
