"""A gVisor runtime passes devices through.

## What it is

`--character-device-policy=passthrough`, or `prefer-emulated`, among the `runtimeArgs` of a runtime whose
binary is `runsc`. The option is there since a commit of 17 August 2026 (573a9e73); a `runsc` from before it
refuses the option, and passes devices of images through in any case (CVE-2026-96812), which
`sandboxd doctor` says.

## Why it is bad

gVisor emulates the few devices that programs need. Passed through, the driver in the host's kernel
answers to the container:

    docker run --runtime=runsc --device=/dev/kvm ...

## What to do instead

Remove it; `emulated-only` is the default of each `runsc` that has the option. For GPUs gVisor has `--nvproxy`.

## Under gVisor

It is about gVisor only: every container that runs under this runtime is concerned.
runsc 20240729 does not have the option; what it does is not tried, but taken from gVisor's source.

## References

- https://gvisor.dev/docs/user_guide/quick_start/docker/
- https://github.com/google/gvisor/blob/master/runsc/config/flags.go
- https://github.com/google/gvisor/commit/573a9e73cf844f9196cbdf776d6a98836b5c0f5c
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._daemon import runsc_flag
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

META = RuleMeta(
    id="daemon-runsc-char-device",
    summary="a gVisor runtime passes devices through",
    severity=Severity.ERROR,
    since="0.1.0",
    why="drivers of the host's kernel are in reach of every container",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    yield from runsc_flag(
        META,
        subject,
        "character-device-policy",
        "passes devices of the host through",
        "containers with `--device` lose it",
        values=("passthrough", "prefer-emulated"),
        severities={"prefer-emulated": Severity.WARNING},
    )
