"""A powerful group is added.

## What it is

`--group-add` or Compose `group_add` with `docker`, `disk`, `kmem`, `sudo`, `wheel`, `shadow`,
`lxd`, `kvm` or `0`.

## Why it is bad

Groups are compared by number with those of the host: whatever is mounted from there opens to the
group. `docker` is the one of the engine's socket, `disk` that of the host's disks, `0` that of
files which belong to root.

## What to do instead

Remove it, or add the one number that the mounted files really have, if it is a harmless one.

## Under gVisor

What is mounted is reached in the same way; the device files are not. It is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#group-add
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="group-add-powerful",
    summary="a powerful group is added",
    severity=Severity.WARNING,
    since="0.1.0",
    why="what is mounted from the host opens to that group by its number",
    needs=(Field("group_add"),),
)


_POWERFUL = {
    "docker": "the engine's socket",
    "disk": "the host's disks",
    "kmem": "the kernel's memory",
    "shadow": "password hashes",
    "lxd": "the socket of LXD",
    "libvirt": "the socket of libvirt",
    "sudo": "`sudo`",
    "wheel": "`sudo`",
    "root": "files of root's group",
    "0": "files of root's group",
    "6": "the host's disks",
}


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.group_add:
        opened = _POWERFUL.get(value.value.strip().lower())
        if opened is None:
            continue
        yield at_value(
            META,
            value,
            f"the group `{value.written}` opens {opened}, where that is mounted or installed",
            value.value,
            kernel_severity(subject, host, Severity.WARNING, Severity.HINT),
            (
                Remedy(
                    "do not add the group",
                    safe=False,
                    changes=(Remove(value),),
                    caution="what belongs to the group cannot be opened",
                ),
            ),
        )
