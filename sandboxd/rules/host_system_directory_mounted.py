"""A system directory of the host is mounted.

## What it is

A bind mount of `/etc`, `/proc`, `/sys`, `/dev`, `/boot`, `/usr`, `/opt`, `/var`, `/var/lib/docker`,
`/var/log` or a part of them that runs programs or holds state of others. The whole of `/mnt`,
`/media`, `/srv`, `/tmp` or `/dev/shm` is a warning: it holds everybody's data, and sockets that
connect even when the mount is read-only. One folder in them is not meant, nor are single files that
tools need, `/etc/localtime` or `/etc/hosts`, and read-only what everybody reads and what only runs or is trusted
where it is written: `/lib/modules`, `/usr/src`, `/etc/ssl/certs`, `/etc/passwd`.

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
Seen with runsc 20240729.

## References

- https://docs.docker.com/engine/storage/bind-mounts/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import host_mounts
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

_ERROR, _WARNING, _HINT = Severity.ERROR, Severity.WARNING, Severity.HINT

META = RuleMeta(
    id="host-system-directory-mounted",
    summary="a system directory of the host is mounted",
    severity=Severity.ERROR,
    since="0.1.0",
    why="what is written there runs on the host as root, and what is read there belongs to others",
    needs=(Field("mounts"),),
)


# Folder -> what is in it, and the severity of a writable and of a read-only mount of it.
FOLDERS = {
    "/etc": ("accounts and configuration", _ERROR, _ERROR),
    "/proc": ("processes and kernel settings", _ERROR, _ERROR),
    "/sys": ("devices and kernel settings", _ERROR, _WARNING),
    "/dev": ("devices", _ERROR, _ERROR),
    "/dev/shm": ("the shared memory of all programs", _WARNING, _WARNING),  # noqa: S108
    "/boot": ("kernel and boot loader", _ERROR, _WARNING),
    "/usr": ("programs", _ERROR, _WARNING),
    "/usr/bin": ("programs", _ERROR, _WARNING),
    "/usr/lib": ("libraries", _ERROR, _WARNING),
    "/usr/local": ("programs", _ERROR, _WARNING),
    "/usr/local/bin": ("programs", _ERROR, _WARNING),
    "/usr/sbin": ("programs", _ERROR, _WARNING),
    "/bin": ("programs", _ERROR, _WARNING),
    "/sbin": ("programs", _ERROR, _WARNING),
    "/lib": ("libraries", _ERROR, _WARNING),
    "/lib64": ("libraries", _ERROR, _WARNING),
    "/opt": ("programs", _ERROR, _HINT),
    "/srv": ("the data of services", _WARNING, _WARNING),
    "/mnt": ("all disks that are mounted there", _WARNING, _WARNING),
    "/media": ("all disks that are plugged in", _WARNING, _WARNING),
    "/run/media": ("all disks that are plugged in", _WARNING, _WARNING),
    "/Volumes": ("all disks of a Mac", _WARNING, _WARNING),
    "/tmp": ("files and sockets of all programs", _WARNING, _WARNING),  # noqa: S108
    "/var": ("state of all services", _ERROR, _ERROR),
    "/var/lib": ("state of all services", _ERROR, _ERROR),
    "/var/log": ("logs of all services", _ERROR, _WARNING),
    "/var/tmp": ("files of all programs", _WARNING, _WARNING),  # noqa: S108
}
# The same for a folder with everything below it, and what begins with its name.
BELOW = {
    "/etc/cron": ("jobs that run as root", _ERROR, _WARNING),
    "/etc/pam.d": ("rules of who may log in", _ERROR, _HINT),
    "/etc/systemd": ("services", _ERROR, _WARNING),
    "/etc/sudoers": ("rights to be root", _ERROR, _WARNING),
    "/etc/profile.d": ("login scripts of everybody", _ERROR, _WARNING),
    "/etc/ld.so.preload": ("libraries that every program loads", _ERROR, _WARNING),
    "/etc/cni": ("networks of Pods, whose plug-ins run as root", _ERROR, _HINT),
    "/etc/docker": ("configuration of the engine", _ERROR, _WARNING),
    "/lib/systemd": ("services", _ERROR, _HINT),
    "/opt/cni": ("plug-ins that run as root with each Pod", _ERROR, _HINT),
    "/proc/sys": ("kernel settings", _ERROR, _WARNING),
    "/sys/kernel": ("kernel settings", _ERROR, _WARNING),
    "/sys/fs/cgroup": ("control groups", _ERROR, _HINT),
    "/usr/lib/systemd": ("services", _ERROR, _HINT),
    "/usr/local/lib": ("libraries", _ERROR, _HINT),
    "/usr/local/sbin": ("programs", _ERROR, _WARNING),
    "/usr/libexec/kubernetes": ("plug-ins that the kubelet runs as root", _ERROR, _HINT),
    "/var/lib/docker": ("files of all containers", _ERROR, _ERROR),
    "/var/lib/containers": ("files of all containers", _ERROR, _ERROR),
    "/var/lib/containerd": ("files of all containers", _ERROR, _ERROR),
    "/var/spool/cron": ("jobs of all users", _ERROR, _WARNING),
}
# Folder or file, with everything below it -> what is in it, and how bad a writable mount is: everybody may read it.
WRITTEN = {
    "/etc/group": ("who is in which group", _WARNING),
    "/etc/init.d": ("services", _ERROR),
    "/etc/ld.so.conf": ("where every program looks for libraries", _ERROR),
    "/etc/ld.so.conf.d": ("where every program looks for libraries", _ERROR),
    "/etc/modprobe.d": ("commands that run as root when the kernel loads a module", _ERROR),
    "/etc/passwd": ("accounts", _WARNING),
    "/etc/pki/ca-trust": ("the certificates that the host trusts", _WARNING),
    "/etc/ssl/certs": ("the certificates that the host trusts", _WARNING),
    "/etc/udev": ("commands that run as root when a device appears", _ERROR),
    "/lib/modules": ("code that the kernel loads", _WARNING),
    "/usr/lib/modules": ("code that the kernel loads", _WARNING),
    "/usr/local/share/ca-certificates": ("the certificates that the host trusts", _WARNING),
    "/usr/src": ("sources that modules of the kernel are built from", _WARNING),
}
_BEGINNINGS = ("/etc/cron", "/etc/sudoers")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for mount, path in host_mounts(subject, host):
        read_only = mount.value.read_only
        entry = _entry(path, read_only)
        if entry is None:
            continue
        content, severity = entry
        how = "read" if read_only else "read and changed"
        yield at_value(
            META,
            mount,
            f"`{mount.written}` of the host holds {content}, which can be {how} from inside",
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


def _entry(path: str, read_only: bool) -> tuple[str, Severity] | None:
    """What is in a folder, and how bad its mount is; None where there is nothing to say."""
    both = FOLDERS.get(path) or _below(path)
    if both is not None:
        content, writable, readable = both
        return content, readable if read_only else writable
    if not read_only:
        for folder, entry in WRITTEN.items():
            if lies_in(path, folder):
                return entry
    return None


def _below(path: str) -> tuple[str, Severity, Severity] | None:
    """`/etc/cron.d` as well as `/etc/cron/x`: some names only begin so."""
    for beginning in _BEGINNINGS:
        if path.startswith(beginning):
            return BELOW[beginning]
    for folder, entry in BELOW.items():
        if lies_in(path, folder):
            return entry
    return None
