"""Flags of `docker run` into a `model.Container`, whoever wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.formats import _mounts
from sandboxd.model.container import Container, Device, Pair, SecurityOption
from sandboxd.model.values import Origin, Value
from sandboxd.syntax.docker_run_flags import BOOLEANS
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from sandboxd.formats import Resolver
    from sandboxd.syntax.argv import Flag
    from sandboxd.syntax.node import Node

    Read = Callable[[str, Resolver], object]


def container(
    flags: Iterable[Flag], base: Container, origin: Origin, path: str, variables: Resolver
) -> Container:
    """`base` with the settings in `flags`.

    Flags without a field in a container's description, and values that the engine would refuse, change
    nothing.
    """
    single: dict[str, Any] = {}
    lists: dict[str, list[Any]] = {}
    for flag in flags:
        if flag.name not in FLAGS:
            continue
        field, read = FLAGS[flag.name]
        written = flag.value or ""
        value = read(written, variables)
        place = Place(path, flag.value_span)
        if isinstance(value, _mounts.Written):
            # Shown at what is mounted, not at all that is said of it.
            start, end = value.start, value.end
            part = inner_span(flag.nodes[-1], written, start, end)
            place = place if part is None else Place(path, part)
            value, written = value.mount, written[start:end]
        if value is None:
            continue
        located = Value(value, origin, place, written, flag.nodes)
        if Container._field_defaults[field] == ():
            lists.setdefault(field, []).append(located)
        else:
            single[field] = located
    fields = {**single, **{name: tuple(values) for name, values in lists.items()}}
    return base._replace(**fields)


def boolean(text: str) -> bool | None:
    """The value that Go's ParseBool gives; None for a spelling that docker refuses."""
    return BOOLEANS.get(text)


def number(text: str) -> int | None:
    """A whole number; None for what docker refuses."""
    return int(text) if text.removeprefix("-").isdecimal() and len(text) < 20 else None


def capability(text: str) -> str:
    """The name in upper case without ``CAP_``: docker takes any case, with and without the prefix."""
    return text.strip().upper().removeprefix("CAP_")


def security_option(text: str) -> SecurityOption:
    """The option in ``name=value`` or ``name:value``; `no-new-privileges` alone means true."""
    ends = [at for at in (text.find("="), text.find(":")) if at >= 0]
    if not ends:
        return SecurityOption(text, "true" if text == "no-new-privileges" else "")
    name, value = text[: min(ends)], text[min(ends) + 1 :]
    if name == "no-new-privileges":
        switch = boolean(value)
        return SecurityOption(name, value if switch is None else str(switch).lower())
    return SecurityOption(name, value)


def pair(text: str) -> Pair:
    name, _, value = text.partition("=")
    return Pair(name, value)


def added_host(text: str) -> Pair:
    """The entry ``name:address`` or ``name=address``; an address may hold colons itself."""
    ends = [at for at in (text.find("="), text.find(":")) if at >= 0]
    return Pair(text[: min(ends)], text[min(ends) + 1 :]) if ends else Pair(text, "")


def device(text: str) -> Device:
    """The device in ``/dev/a``, ``/dev/a:/dev/b`` or ``/dev/a:/dev/b:rw``."""
    parts = text.split(":")
    if len(parts) == 1:
        return Device(text, text)
    if len(parts) == 2 and parts[1] and not parts[1].startswith("/"):
        return Device(parts[0], parts[0], parts[1])
    return Device(parts[0], parts[1], parts[2] if len(parts) > 2 else "rwm")


def inner_span(node: Node, written: str, start: int, end: int) -> Span | None:
    """The span of `written[start:end]` in the file, where `written` ends the string `node`.

    None when the string holds escapes, so that its text is not the value.
    """
    text = node.text()
    if text is None or not text.endswith(written):
        return None
    quotes = node.span.end - node.span.start - len(text)
    if quotes not in (0, 2):
        return None
    offset = node.span.start + quotes // 2 + len(text) - len(written)
    return Span(offset + start, offset + end)


def _with_variables(read: Callable[[str], object]) -> Read:
    """A reader that calls `read` with the variables of the text replaced."""
    return lambda text, variables: read(variables.resolve(text))


def _host_path(text: str, variables: Resolver) -> str:
    return variables.host_path(text)


_TEXT = _with_variables(str)
_SWITCH = _with_variables(boolean)
_NUMBER = _with_variables(number)
_PAIR = _with_variables(pair)
_CAPABILITY = _with_variables(capability)

FLAGS: dict[str, tuple[str, Read]] = {
    "add-host": ("extra_hosts", _with_variables(added_host)),
    "annotation": ("annotations", _PAIR),
    "cap-add": ("cap_add", _CAPABILITY),
    "cap-drop": ("cap_drop", _CAPABILITY),
    "cgroup-parent": ("cgroup_parent", _TEXT),
    "cgroupns": ("cgroupns", _TEXT),
    "cpus": ("cpus", _TEXT),
    "device": ("devices", _with_variables(device)),
    "device-cgroup-rule": ("device_cgroup_rules", _TEXT),
    "env": ("env", _PAIR),
    "env-file": ("env_files", _host_path),
    "gpus": ("gpus", _TEXT),
    "group-add": ("group_add", _TEXT),
    "init": ("init", _SWITCH),
    "ipc": ("ipc", _TEXT),
    "label": ("labels", _PAIR),
    "log-driver": ("log_driver", _TEXT),
    "log-opt": ("log_options", _PAIR),
    "memory": ("memory", _TEXT),
    "memory-swap": ("memory_swap", _TEXT),
    "mount": ("mounts", _mounts.from_csv),
    "network": ("network", _TEXT),
    "oom-kill-disable": ("oom_kill_disable", _SWITCH),
    "oom-score-adj": ("oom_score_adj", _NUMBER),
    "pid": ("pid", _TEXT),
    "pids-limit": ("pids_limit", _NUMBER),
    "privileged": ("privileged", _SWITCH),
    "publish": ("ports", _TEXT),
    "publish-all": ("publish_all", _SWITCH),
    "read-only": ("read_only_rootfs", _SWITCH),
    "restart": ("restart", _TEXT),
    "runtime": ("runtime", _TEXT),
    "security-opt": ("security_opt", _with_variables(security_option)),
    "shm-size": ("shm_size", _TEXT),
    "sysctl": ("sysctls", _PAIR),
    "tmpfs": ("mounts", _mounts.from_tmpfs),
    "ulimit": ("ulimits", _PAIR),
    "use-api-socket": ("api_socket", _SWITCH),
    "user": ("user", _TEXT),
    "userns": ("userns", _TEXT),
    "uts": ("uts", _TEXT),
    "volume": ("mounts", _mounts.from_volume),
    "volumes-from": ("volumes_from", _TEXT),
    "workdir": ("working_dir", _TEXT),
}
"""By flag, the field of a container that it sets, and the reader of its value: None is refused."""
