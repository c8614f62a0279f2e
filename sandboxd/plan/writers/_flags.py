"""A plan's values as flags of `docker run`, shared by the writers that speak it."""

from __future__ import annotations

from sandboxd.model.container import Container, Mount


class Flag:
    """One flag and the field of `Container` whose reason explains it."""

    __slots__ = ("field", "item", "text")

    def __init__(self, text: str, field: str, item: str) -> None:
        self.text = text
        self.field = field
        self.item = item


def flags(container: Container) -> list[Flag]:
    """Everything but image, mounts, user, environment and security options."""
    found = []
    if container.runtime is not None:
        found.append(
            _flag("runtime", container.runtime.value, "runtime", container.runtime.written)
        )
    if container.network is not None:
        found.append(
            _flag("network", container.network.value, "network", container.network.written)
        )
    found += [_flag("cap-drop", v.value, "cap_drop", v.written) for v in container.cap_drop]
    found += [_flag("cap-add", v.value, "cap_add", v.written) for v in container.cap_add]
    for value in container.annotations:
        text = f"{value.value.name}={value.value.value}"
        found.append(_flag("annotation", text, "annotations", value.written))
    if container.memory is not None:
        found.append(_flag("memory", container.memory.value, "memory", container.memory.written))
    if container.cpus is not None:
        found.append(_flag("cpus", container.cpus.value, "cpus", container.cpus.written))
    if container.pids_limit is not None:
        count = str(container.pids_limit.value)
        found.append(_flag("pids-limit", count, "pids_limit", container.pids_limit.written))
    for value in container.ulimits:
        text = f"{value.value.name}={value.value.value}"
        found.append(_flag("ulimit", text, "ulimits", value.written))
    if container.log_driver is not None:
        driver = container.log_driver
        found.append(_flag("log-driver", driver.value, "log_driver", driver.written))
    for value in container.log_options:
        text = f"{value.value.name}={value.value.value}"
        found.append(_flag("log-opt", text, "log_options", value.written))
    if container.stop_signal is not None:
        signal = container.stop_signal
        found.append(_flag("stop-signal", signal.value, "stop_signal", signal.written))
    if container.read_only_rootfs is not None:
        found.append(Flag("--read-only", "read_only_rootfs", "true"))
    return found


def _flag(name: str, value: str, field: str, item: str) -> Flag:
    return Flag(f"--{name}={value}", field, item)


def is_tmpfs_flag(mount: Mount) -> bool:
    """Whether a mount needs `--tmpfs`: `--mount type=tmpfs` has no option that allows programs."""
    return mount.type == "tmpfs" and "exec" in mount.options


def tmpfs_text(mount: Mount) -> str:
    """The value of `--tmpfs`."""
    return f"{mount.target}:{','.join(mount.options)}"


def mount_flag(mount: Mount) -> str:
    """A mount as the flag of `docker run` that can say all of it."""
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
    return ",".join(_quoted(field) for field in fields)


def _quoted(field: str) -> str:
    if not any(char in field for char in ',"\n\r'):
        return field
    return '"' + field.replace('"', '""') + '"'
