"""A build step runs without its sandbox.

## What it is

`RUN --security=insecure`, `RUN --network=host` or `RUN --device=...` in a Dockerfile.

## Why it is bad

`--security=insecure` is `docker run --privileged` for a build step: all capabilities, no seccomp,
the devices of the machine that builds. `--network=host` puts the step on that machine's network,
with everything that listens on its loopback. `--device` hands it a device of that machine, by its name
for the Container Device Interface: a warning, as the name does not tell which one it is.

    RUN --security=insecure mount /dev/sda1 /mnt && cat /mnt/root/.ssh/id_ed25519

BuildKit refuses all three unless the builder was told to allow them; who needs them tells all builders. A
builder may be set to allow a device by itself (`autoAllow`).

## What to do instead

Remove the flag. Do privileged set-up at run time in a sandbox, or in a virtual machine.

## Under gVisor

No difference: images are built by BuildKit on the kernel of the host, whatever runtime the
container uses.

## References

- https://docs.docker.com/reference/dockerfile/#run---security
- https://docs.docker.com/reference/dockerfile/#run---network
- https://docs.docker.com/reference/dockerfile/#run---device
- https://docs.docker.com/build/building/cdi/
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
    from sandboxd.model.image import Image

META = RuleMeta(
    id="dockerfile-run-insecure",
    summary="a build step runs without its sandbox",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the step runs privileged, or on the network of the machine that builds",
    needs=(Field("stages"),),
)

_WEAK = (
    (
        "security",
        "insecure",
        Severity.ERROR,
        "runs the build step privileged on the machine that builds",
    ),
    (
        "network",
        "host",
        Severity.ERROR,
        "runs the build step on the network of the machine that builds",
    ),
    ("device", "", Severity.WARNING, "gives the build step a device of the machine that builds"),
)
"""Flag, its weak value ('' for any), severity, effect."""


def check(subject: Image, host: HostFacts) -> Iterator[Finding]:
    for instruction in subject.instructions("RUN"):
        for name, weak, severity, effect in _WEAK:
            for flag, written in instruction.flag(name):
                if weak and written != weak:
                    continue
                value = subject.value(flag.value, flag.span, flag.value, "RUN")
                remedy = Remedy(
                    f"remove `{flag.value}`",
                    safe=False,
                    changes=(Remove(value),),
                    caution="the build step may need what it gives",
                )
                message = f"`{flag.value}` {effect}"
                yield at_value(META, value, message, flag.value, severity, (remedy,))
