"""A system directory of the host is mounted.

## What it is

A bind mount of `/etc`, `/proc`, `/sys`, `/dev`, `/boot`, `/usr`, `/var`, `/var/lib/docker`,
`/var/log` or a part of them that runs programs or holds state of others. Single files that tools
need, `/etc/localtime` or `/etc/hosts`, are not meant, and neither is `/lib/modules` read-only.

## Why it is bad

What is written there runs on the host, as root: cron jobs, units, libraries, kernel settings.
What can be read there is everybody's: password hashes, the files and environment of all other
containers, the command lines of all processes.

    echo '* * * * * root /tmp/x' > /host-etc/cron.d/x

## What to do instead

Mount the one file that is needed, read-only. For logs, a folder of the project's own.

## Under gVisor

No difference: a bind mount goes past gVisor's kernel, and with `/proc` so do the host's
processes.

## References

- https://docs.docker.com/engine/storage/bind-mounts/
"""

from __future__ import annotations

from sandboxd._typing import TYPE_CHECKING
from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import below, host_mounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="host-system-directory-mounted",
    summary="a system directory of the host is mounted",
    severity=Severity.ERROR,
    since="0.1.0",
    why="what is written there runs on the host as root, and what is read there belongs to others",
    needs=("mounts",),
)


# Folder -> what is in it, and whether reading alone is harmless enough to be a warning.
_FOLDERS = {
    "/etc": ("accounts and configuration", False),
    "/proc": ("processes and kernel settings", False),
    "/sys": ("devices and kernel settings", True),
    "/dev": ("devices", False),
    "/boot": ("kernel and boot loader", True),
    "/usr": ("programs", True),
    "/usr/bin": ("programs", True),
    "/usr/local/bin": ("programs", True),
    "/bin": ("programs", True),
    "/sbin": ("programs", True),
    "/lib": ("libraries", True),
    "/lib64": ("libraries", True),
    "/var": ("state of all services", False),
    "/var/lib": ("state of all services", False),
    "/var/log": ("logs of all services", True),
}
_BELOW = {
    "/etc/cron": ("jobs that run as root", True),
    "/etc/systemd": ("services", True),
    "/etc/sudoers": ("rights to be root", True),
    "/etc/profile.d": ("login scripts of everybody", True),
    "/etc/ld.so.preload": ("libraries that every program loads", True),
    "/etc/docker": ("configuration of the engine", True),
    "/proc/sys": ("kernel settings", True),
    "/sys/kernel": ("kernel settings", True),
    "/sys/fs/cgroup": ("control groups", True),
    "/var/lib/docker": ("files of all containers", False),
    "/var/lib/containers": ("files of all containers", False),
    "/var/lib/containerd": ("files of all containers", False),
    "/var/spool/cron": ("jobs of all users", True),
}


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for mount, path in host_mounts(subject, host):
        known = _FOLDERS.get(path) or _below(path)
        if known is None:
            continue
        what, readable = known
        read_only = mount.value.read_only
        if path.startswith("/sys/fs/cgroup") and read_only:
            severity = Severity.HINT
        else:
            severity = Severity.WARNING if read_only and readable else Severity.ERROR
        how = "read" if read_only else "read and changed"
        yield at_value(
            META,
            mount,
            f"`{mount.written}` of the host holds {what}, which can be {how} from inside",
            path,
            severity,
            (
                Remedy(
                    "remove the mount",
                    safe=False,
                    changes=(Remove(mount),),
                    caution=f"`{mount.value.target}` is that of the image",
                ),
            ),
        )


def _below(path: str) -> tuple[str, bool] | None:
    """`/etc/cron.d` as well as `/etc/cron/x`: some names only begin so."""
    if path.startswith(("/etc/cron", "/etc/sudoers")):
        return _BELOW["/etc/cron" if path.startswith("/etc/cron") else "/etc/sudoers"]
    for folder, known in _BELOW.items():
        if below(path, folder):
            return known
    return None
