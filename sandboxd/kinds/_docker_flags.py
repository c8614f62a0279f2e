"""Flags of `docker run` into a `model.Container`, whoever wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.kinds import _mounts
from sandboxd.model.container import Container, Device, Pair, SecurityOption
from sandboxd.model.values import Origin, Value
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from sandboxd.kinds import Resolver
    from sandboxd.syntax.argv import Flag
    from sandboxd.syntax.node import Node

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")

_TEXT_FIELDS = {
    "runtime": "runtime",
    "user": "user",
    "network": "network",
    "pid": "pid",
    "ipc": "ipc",
    "uts": "uts",
    "userns": "userns",
    "cgroupns": "cgroupns",
    "memory": "memory",
    "cpus": "cpus",
    "workdir": "working_dir",
    "cgroup-parent": "cgroup_parent",
    "gpus": "gpus",
    "memory-swap": "memory_swap",
    "shm-size": "shm_size",
    "restart": "restart",
    "log-driver": "log_driver",
}
_NUMBERS = {"pids-limit": "pids_limit", "oom-score-adj": "oom_score_adj"}
_SWITCHES = {
    "privileged": "privileged",
    "read-only": "read_only_rootfs",
    "init": "init",
    "publish-all": "publish_all",
    "oom-kill-disable": "oom_kill_disable",
    "use-api-socket": "api_socket",
}
_PAIRS = {
    "env": "env",
    "annotation": "annotations",
    "label": "labels",
    "ulimit": "ulimits",
    "sysctl": "sysctls",
    "log-opt": "log_options",
}
_LISTS = {
    "publish": "ports",
    "group-add": "group_add",
    "device-cgroup-rule": "device_cgroup_rules",
    "volumes-from": "volumes_from",
}
_MOUNTS = {
    "mount": _mounts.from_csv,
    "volume": _mounts.from_volume,
    "tmpfs": _mounts.from_tmpfs,
}


def container(
    flags: Iterable[Flag], base: Container, origin: Origin, path: str, variables: Resolver
) -> Container:
    """`base` with what `flags` set. Flags that a container description has no field for, and
    values that the engine would refuse, change nothing."""
    single: dict[str, Any] = {}
    lists: dict[str, list[Any]] = {}
    for flag in flags:
        written = flag.value or ""
        value = variables.resolve(written)
        place = Place(path, flag.value_span)

        def located(
            normal: Any, place: Place = place, written: str = written, nodes: Any = flag.nodes
        ) -> Value[Any]:
            return Value(normal, origin, place, written, nodes)

        name = flag.name
        if name in _TEXT_FIELDS:
            single[_TEXT_FIELDS[name]] = located(value)
        elif name in _SWITCHES:
            switch = boolean(value)
            if switch is not None:
                single[_SWITCHES[name]] = located(switch)
        elif name in _PAIRS:
            lists.setdefault(_PAIRS[name], []).append(located(pair(value)))
        elif name in _MOUNTS:
            mount = _MOUNTS[name](written, variables)
            part = inner_span(flag.nodes[-1], written, mount.start, mount.end)
            exact = place if part is None else Place(path, part)
            source = written[mount.start : mount.end]
            lists.setdefault("mounts", []).append(located(mount.mount, exact, source))
        elif name in ("cap-add", "cap-drop"):
            lists.setdefault(name.replace("-", "_"), []).append(located(capability(value)))
        elif name == "security-opt":
            lists.setdefault("security_opt", []).append(located(security_option(value)))
        elif name == "device":
            lists.setdefault("devices", []).append(located(device(value)))
        elif name in _LISTS:
            lists.setdefault(_LISTS[name], []).append(located(value))
        elif name == "env-file":
            lists.setdefault("env_files", []).append(located(variables.host_path(written)))
        elif name == "add-host":
            lists.setdefault("extra_hosts", []).append(located(added_host(value)))
        elif name in _NUMBERS and value.removeprefix("-").isdecimal() and len(value) < 20:
            single[_NUMBERS[name]] = located(int(value))
    fields = {**single, **{name: tuple(values) for name, values in lists.items()}}
    return base._replace(**fields)


def boolean(text: str) -> bool | None:
    """Go's ParseBool; None for a spelling that docker refuses."""
    if text in _TRUE:
        return True
    return False if text in _FALSE else None


def capability(text: str) -> str:
    """Upper-case without ``CAP_``: docker takes any case, with and without the prefix."""
    return text.strip().upper().removeprefix("CAP_")


def security_option(text: str) -> SecurityOption:
    """``name=value`` or ``name:value``; `no-new-privileges` alone means true."""
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
    """``name:address`` or ``name=address``; an address may hold colons itself."""
    ends = [at for at in (text.find("="), text.find(":")) if at >= 0]
    return Pair(text[: min(ends)], text[min(ends) + 1 :]) if ends else Pair(text, "")


def device(text: str) -> Device:
    """``/dev/a``, ``/dev/a:/dev/b`` or ``/dev/a:/dev/b:rw``."""
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
