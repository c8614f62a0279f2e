"""The capability SYS_MODULE is added.

## What it is

`"capAdd": ["SYS_MODULE"]` or `--cap-add=SYS_MODULE`. Docker's seccomp profile allows
`init_module`, `finit_module` and `delete_module` as soon as it is added.

## Why it is bad

A kernel module is code that runs in the host's kernel. Whoever may load one needs no exploit:

    insmod rootkit.ko    # the host is theirs, all other containers included

## What to do instead

Load the module on the host, when it starts (`/etc/modules-load.d/`). The container only needs
the device or the network interface that it makes.

Where a hook or the image of the project needs it itself, no fix is offered: it would break the project.

## Under gVisor

There is no host kernel to load it into; it is a hint.
Seen with runsc 20240729.

## References

- https://man7.org/linux/man-pages/man7/capabilities.7.html
- https://github.com/moby/profiles/blob/main/seccomp/default.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._capabilities import added
from sandboxd.rules._needs import Has

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="cap-add-sys-module",
    summary="the capability SYS_MODULE is added",
    severity=Severity.ERROR,
    since="0.1.0",
    why="a kernel module runs as the host's kernel itself",
    needs=(Has("cap_add", "SYS_MODULE"),),
)


_EFFECTS = {
    "SYS_MODULE": ("lets the container load code into the host's kernel", Severity.ERROR),
}


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    yield from added(
        META,
        subject,
        host,
        _EFFECTS,
        Severity.HINT,
        "loading kernel modules from inside stops working",
    )
