"""The host's root file system is mounted into the container.

## What it is

A bind mount of `/`, of a whole Windows drive (`C:\\`, `/mnt/c`, `/host_mnt/c`), or of the same
under another name: `/proc/1/root`, `${localWorkspaceFolder}/../../..`, a local volume whose
`device` is `/`.

## Why it is bad

Everything on the host can be read, and with a writable mount changed: `/etc/shadow`, every
user's keys, cron jobs, the engine's own configuration. No exploit is needed:

    echo '* * * * * root /host/tmp/x' > /host/etc/cron.d/x

Read-only still hands over every secret on the machine.

## What to do instead

Mount the one folder that is needed, read-only where it is only read:
`source=/opt/toolchain,target=/opt/toolchain,type=bind,readonly`.

## Under gVisor

No difference. A bind mount is a hole that you cut into the sandbox; a file written from inside
appears on the host.

## References

- https://docs.docker.com/engine/storage/bind-mounts/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import host_mounts
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="host-root-mounted",
    summary="the host's root file system is mounted",
    severity=Severity.ERROR,
    since="0.1.0",
    why="all files of the host, every user's keys among them, are in the container's hands",
    needs=(Field("mounts"),),
)

_ROOTS = ("/", "/host_mnt", "/run/desktop/mnt/host", "/mnt/wsl")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for mount, path in host_mounts(subject, host):
        if path not in _ROOTS and not _is_drive(path):
            continue
        how = "can be read" if mount.value.read_only else "can be read and changed"
        yield at_value(
            META,
            mount,
            f"`{mount.written}` mounts the whole host: every file {how} from inside",
            path,
            remedies=(
                Remedy(
                    "remove the mount",
                    safe=False,
                    changes=(Remove(mount),),
                    caution=f"`{mount.value.target}` is gone inside the container",
                ),
            ),
        )


def _is_drive(path: str) -> bool:
    return len(path) == 2 and path[1] == ":"
