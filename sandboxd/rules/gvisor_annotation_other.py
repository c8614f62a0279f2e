"""An annotation changes how gVisor works.

## What it is

An annotation `dev.gvisor.*` other than `oci-seccomp=true` and `host-uds`, which has a rule of
its own.

## Why it is bad

Among the flags that an annotation may set are ones that write every system call with its data
into logs, and ones that tell gVisor to treat a mount as its own.

## What to do instead

Set flags on the runtime, in the engine's daemon.json, where they are seen.

## Under gVisor

This is about gVisor only.
Seen with runsc 20240729.

## References

- https://github.com/google/gvisor/blob/master/runsc/config/flags.go
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
    from sandboxd.model.container import Container

META = RuleMeta(
    id="gvisor-annotation-other",
    summary="an annotation changes how gVisor works",
    severity=Severity.WARNING,
    since="0.1.0",
    why="some of the flags write secrets into logs or loosen a check",
    needs=(Field("annotations"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.annotations:
        name, text = value.value
        if not name.startswith("dev.gvisor.") or name == "dev.gvisor.flag.host-uds":
            continue
        if (name, text) == ("dev.gvisor.flag.oci-seccomp", "true"):
            continue
        yield at_value(
            META,
            value,
            f"`{name}` changes how gVisor works, from inside the config",
            name,
            remedies=(
                Remedy(
                    "leave it to the runtime",
                    safe=False,
                    changes=(Remove(value),),
                    caution="gVisor works as the engine set it up",
                ),
            ),
        )
