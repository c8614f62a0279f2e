"""A device of the host is passed in.

## What it is

`--device` or Compose `devices`. How bad that is depends on the device:

- error: disks (`/dev/sda`, `/dev/nvme0n1`, `/dev/dm-0`, `/dev/loop0`), memory (`/dev/mem`,
  `/dev/kmem`, `/dev/port`), all of `/dev`, and `/dev/uinput`, which types on the host
- warning: keyboards (`/dev/input`), all of USB, `/dev/kvm`, the devices of TPM and of SEV
- hint: FUSE, tunnels, graphics, sound, cameras, serial ports

A bind mount of a device (`/dev/dri:/dev/dri` as a volume) counts the same where a device rule or
`--privileged` opens it, and is a hint otherwise: the engine refuses to open it.

## Why it is bad

A disk holds every file of the host, whatever is mounted where. Of the others each is a driver
that takes `ioctl`s from inside, and some act outside.

    debugfs -w -R "write key /root/.ssh/authorized_keys" /dev/sda1

## What to do instead

Remove disks and memory. Pass in the one device that is needed, `/dev/ttyUSB0` rather than
`/dev/bus/usb`, with `r` or `rw` instead of `rwm`.

## Under gVisor

The node is there, and opening it fails; it is a hint.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#device
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import host_mounts
from sandboxd.rules._needs import Field, Mentions
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container
    from sandboxd.model.values import Value

META = RuleMeta(
    id="device-passthrough",
    summary="a device of the host is passed in",
    severity=Severity.ERROR,
    since="0.1.0",
    why="a disk holds every file of the host; of the others, each is a driver that is open to the code inside",
    needs=(Field("devices"), Mentions("mounts", "/dev/")),
)


# Below /dev, and no devices; `host-system-directory-mounted` speaks of the shared memory.
NO_DEVICES = (
    "/dev/shm",  # noqa: S108
    "/dev/log",
    "/dev/null",
    "/dev/mqueue",
    "/dev/hugepages",
    "/dev/pts",
)
DISKS = ("sd", "hd", "vd", "xvd", "nvme", "dm-", "mapper", "loop", "md", "mmcblk", "disk", "block")
ERRORS = {
    "mem": "passes in the memory of the host",
    "kmem": "passes in the memory of the kernel",
    "port": "passes in the I/O ports of the host",
    "uinput": "passes in a keyboard that types on the host",
}
WARNINGS = {
    "input": "passes in keyboards and mice of the host",
    "bus/usb": "passes in all USB devices",
    "kvm": "passes in the hypervisor of the host's kernel",
    "tpm": "passes in the TPM",
    "sev": "passes in the memory encryption",
    "vhost": "passes in a driver that runs in the host's kernel",
}


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.devices:
        source = value.value.source.rstrip("/")
        if source.startswith("/dev"):
            severity, effect = _judge(source.removeprefix("/dev").lstrip("/"))
            yield _finding(value, source, effect or "is passed in", subject, host, severity)
    # The node of a bind opens only where a rule or `--privileged` allows the device, too.
    opens = subject.is_privileged() or bool(subject.device_cgroup_rules)
    for mount, path in host_mounts(subject, host):
        if path.startswith("/dev/") and not any(lies_in(path, harmless) for harmless in NO_DEVICES):
            severity, effect = _judge(path.removeprefix("/dev/"))
            if not opens:
                severity, effect = Severity.HINT, "is mounted, and the engine refuses to open it"
            yield _finding(mount, path, effect or "is passed in", subject, host, severity)


def _finding(
    value: Value[Any],
    source: str,
    effect: str,
    subject: Container,
    host: HostFacts,
    severity: Severity,
) -> Finding:
    return at_value(
        META,
        value,
        f"`{source}` {effect}",
        source,
        kernel_severity(subject, host, severity, Severity.HINT),
        (
            Remedy(
                "do not pass it in",
                safe=False,
                changes=(Remove(value),),
                caution="what uses the device stops working",
            ),
        ),
    )


def _judge(name: str) -> tuple[Severity, str]:
    if not name:
        return Severity.ERROR, "passes in every device of the host, its disks among them"
    if name in ERRORS:
        return Severity.ERROR, ERRORS[name]
    if name.startswith(DISKS) and not name.startswith("sdr"):
        return Severity.ERROR, "is a disk: every file on it can be read and changed"
    for prefix, effect in WARNINGS.items():
        if name.startswith(prefix):
            return Severity.WARNING, effect
    return Severity.HINT, ""
