"""Writes a plan's values as flags of `docker run`; shared by several writers."""

from __future__ import annotations

from sandboxd.model.container import Container, Mount, Pair
from sandboxd.model.values import Value


class Flag:
    """One flag, and the field of `Container` whose reason explains it."""

    __slots__ = ("field", "item", "text")

    def __init__(self, text: str, field: str, item: str) -> None:
        self.text = text
        self.field = field
        self.item = item


FIELDS = {
    "runtime": "runtime",
    "network": "network",
    "cap-drop": "cap_drop",
    "cap-add": "cap_add",
    "annotation": "annotations",
    "memory": "memory",
    "cpus": "cpus",
    "gpus": "gpus",
    "pids-limit": "pids_limit",
    "ulimit": "ulimits",
    "log-driver": "log_driver",
    "log-opt": "log_options",
    "stop-signal": "stop_signal",
    "read-only": "read_only_rootfs",
}
"""The flags in the order in which they are written, each with the field of `Container` that it is for."""


def flags(container: Container) -> list[Flag]:
    """All flags except those for image, mounts, user, environment and security options."""
    written: list[Flag] = []
    for name, field in FIELDS.items():
        setting = getattr(container, field)
        values = (setting,) if isinstance(setting, Value) else setting or ()
        written += [_flag(name, field, value) for value in values]
    return written


def _flag(name: str, field: str, value: Value[object]) -> Flag:
    if isinstance(value.value, bool):
        return Flag(f"--{name}", field, "true")
    if isinstance(value.value, Pair):
        return Flag(f"--{name}={value.value.name}={value.value.value}", field, value.written)
    return Flag(f"--{name}={value.value}", field, value.written)


def is_tmpfs_flag(mount: Mount) -> bool:
    """Whether a mount needs `--tmpfs`, because `--mount type=tmpfs` has no option that allows programs to run."""
    return mount.type == "tmpfs" and "exec" in mount.options


def tmpfs_text(mount: Mount) -> str:
    """The value of `--tmpfs`."""
    return f"{mount.target}:{','.join(mount.options)}"


def mount_flag(mount: Mount) -> str:
    """A mount as the flag of `docker run` that can express all of it."""
    if is_tmpfs_flag(mount):
        return f"--tmpfs={tmpfs_text(mount)}"
    return f"--mount={mount_text(mount)}"


def mount_text(mount: Mount) -> str:
    """The value of `--mount`: comma-separated values, quoted where they hold a comma or a quote."""
    fields = [f"type={mount.type}"]
    if mount.source:
        fields.append(f"source={mount.source}")
    fields.append(f"target={mount.target}")
    if mount.read_only:
        fields.append("readonly")
    fields += mount.options
    return ",".join(_quote(field) for field in fields)


def _quote(field: str) -> str:
    if not any(char in field for char in ',"\n\r'):
        return field
    return '"' + field.replace('"', '""') + '"'
