"""Reads facts from the engine's raw answers. Pure; tolerant of anything in a pasted report."""

from __future__ import annotations

import re
from typing import Any

from sandboxd.engine.unreachable import words
from sandboxd.host.facts import NOT_YET, Component, Engine, Premise, Runtime
from sandboxd.host.facts.nvidia import drivers

# gVisor's kernel says one of these of itself: the first since its beginning, the second in 2026, too.
GVISOR_KERNEL = "Sun Jan 10 15:06:54 PST 2016"
_GVISOR_NAME = "-gvisor"


def engine_from_raw(raw: dict[str, Any]) -> Engine:
    """The facts in the part `engine` of a raw report."""
    host = _text(raw.get("host")) or ""
    failure = _table(raw.get("failure"))
    if failure:
        detail = _text(failure.get("detail")) or ""
        case = _text(failure.get("case")) or "broken"
        message, hint = words(case, host, detail)
        before = _from_answers(host, _table(raw.get("remembered")))
        return before._replace(
            error=message, hint=hint, context=_text(raw.get("context")), tls=_flag(raw.get("tls"))
        )
    return _from_answers(host, raw)


def _from_answers(host: str, raw: dict[str, Any]) -> Engine:
    info, version = _table(raw.get("info")), _table(raw.get("server_version"))
    options = tuple(str(option) for option in _items(info.get("SecurityOptions")))
    return Engine(
        host=host,
        id=_text(info.get("ID")),
        kind=_kind(info, version, _text(raw.get("name"))),
        version=_text(version.get("Version")) or _text(info.get("ServerVersion")),
        api_version=_text(version.get("ApiVersion")),
        os=_text(info.get("OperatingSystem")),
        rootless=any("rootless" in option for option in options) if info else None,
        cgroup_version=_text(info.get("CgroupVersion")),
        security_options=options,
        default_runtime=_text(info.get("DefaultRuntime")),
        runtimes=_runtimes(info, raw),
        product=_text(_table(version.get("Platform")).get("Name")),
        kernel=_text(info.get("KernelVersion")) or _text(version.get("KernelVersion")),
        components=_components(version),
        live_restore=_flag(info.get("LiveRestoreEnabled")),
        containers_running=_number(info.get("ContainersRunning")),
        processors=_number(info.get("NCPU")),
        cpu_quota=_flag(info.get("CpuCfsQuota")),
        memory_limit=_flag(info.get("MemoryLimit")),
        pids_limit=_flag(info.get("PidsLimit")),
        context=_text(raw.get("context")),
        tls=_flag(raw.get("tls")),
        root_outside=_root_outside(options, _text(info.get("DockerRootDir")) or ""),
        firewall_rules=_flag(raw.get("firewall_rules")),
        image_labels=_image_labels(raw.get("images")),
    )


def _root_outside(options: tuple[str, ...], root: str) -> tuple[int, int] | None:
    """The ids in the name of the data folder ``/var/lib/docker/100000.100000``: nowhere else the engine tells them."""
    ids = re.fullmatch(r"(\d{1,10})\.(\d{1,10})", root.rpartition("/")[2])
    return (int(ids[1]), int(ids[2])) if ids and "name=userns" in options else None


def _image_labels(images: object) -> tuple[tuple[str, str], ...]:
    labels = []
    for entry in _items(images):
        label = _text(_table(_table(entry).get("Labels")).get("devcontainer.metadata"))
        if label is not None:
            labels += [(str(name), label) for name in _items(_table(entry).get("RepoTags"))]
    return tuple(sorted(labels))


_NAMES = {
    "docker-desktop": "docker-desktop",
    "colima": "colima",
    "lima": "lima",
    "orbstack": "orbstack",
    "rancher-desktop": "rancher-desktop",
}


def product_name(name: object) -> str | None:
    """The name of the product that uses this host name for its engine; None for others, which may be private."""
    if not isinstance(name, str):
        return None
    return next(
        (product for product in _NAMES if name == product or name.startswith(f"{product}-")), None
    )


def _kind(info: dict[str, Any], version: dict[str, Any], name: str | None) -> str | None:
    if not info and not version:
        return None
    if is_podman(version):
        return "podman"
    system = info.get("OperatingSystem")
    if system == "Docker Desktop":
        return "docker-desktop"
    if system == "OrbStack":
        return "orbstack"
    return _NAMES.get(name or "", "docker")


def _components(version: dict[str, Any]) -> tuple[Component, ...]:
    components = []
    for entry in map(_table, _items(version.get("Components"))):
        name, text = _text(entry.get("Name")), _text(entry.get("Version"))
        if name and text:
            # Podman puts the program's whole answer here, and its role before the program's name.
            program = re.match(r"OCI Runtime \((\S+)\)", name)
            name = program[1].rsplit("/", 1)[-1] if program else name
            components.append(Component(name, _version(text.splitlines()[0]) or text))
    return tuple(components)


def usable_runtimes(info: dict[str, Any], podman: bool) -> dict[str, dict[str, Any]]:
    """The registered runtimes that a container can be started with, by name.

    Podman's service lists every runtime that it knows of and ignores which one a container
    asks for (measured with 5.4.2): there only the one counts that the service was started with.

    :param info: the engine's answer to `/info`
    """
    registered = {name: _table(entry) for name, entry in _table(info.get("Runtimes")).items()}
    if not podman:
        return registered
    default = _text(info.get("DefaultRuntime")) or ""
    name = default.rsplit("/", 1)[-1]
    path = default if "/" in default else registered.get(name, {}).get("path", "")
    return {name: {"path": path}} if name else {}


def is_podman(version: dict[str, Any]) -> bool:
    return "Podman Engine" in [component.name for component in _components(version)]


def _runtimes(info: dict[str, Any], raw: dict[str, Any]) -> tuple[Runtime, ...]:
    registered = usable_runtimes(info, is_podman(_table(raw.get("server_version"))))
    trials, versions = _table(raw.get("trials")), _table(raw.get("runtime_versions"))
    runtimes = []
    for name in sorted(registered):
        entry = _table(registered[name])
        runtime = Runtime(
            name=name,
            path=_text(entry.get("path")) or "",
            args=tuple(str(arg) for arg in _items(entry.get("runtimeArgs"))),
            version=_version(_text(versions.get(name))),
            nvproxy_drivers=drivers(_table(raw.get("nvproxy_drivers")).get(name)),
        )
        runtime = _judge(runtime, _table(trials.get(name)), "trials" in raw)
        runtimes.append(_with_premises(runtime, _table(raw.get("premises")).get(name)))
    return tuple(runtimes)


def _with_premises(runtime: Runtime, answer: object) -> Runtime:
    """`runtime` with the result of its trial; an answer that is neither yes nor no counts as not tried."""
    if not runtime.gvisor:
        return runtime
    premises = tuple(
        Premise(str(name), bool(entry["holds"]), _text(entry.get("detail")) or "")
        for name, entry in sorted(_table(_table(answer).get("premises")).items())
        if isinstance(entry, dict) and isinstance(entry.get("holds"), bool)
    )
    if premises:
        return runtime._replace(premises=premises)
    why = _text(_table(answer).get("message"))
    return runtime._replace(premises_untried=why or NOT_YET)


def _version(line: str | None) -> str | None:
    """``runsc version release-20240729.0`` without the program's name."""
    if not line:
        return None
    return re.sub(r"^\S+ version ", "", line)


def _judge(runtime: Runtime, trial: dict[str, Any], tried: bool) -> Runtime:
    started = trial.get("started")
    if started is True:
        return runtime._replace(usable=True, gvisor=_is_gvisor(trial))
    if started is False:
        why, fix = explain_failure(_text(trial.get("message")) or "", runtime)
        return runtime._replace(usable=False, why=why, fix=fix)
    why = f"never tried: {_text(trial.get('message')) or 'no trial was asked for'}"
    fix = (
        "`sudo apt-get install busybox-static`, then `sandboxd doctor`"
        if tried
        else "`sandboxd doctor` tries it"
    )
    return runtime._replace(why=why, fix=fix)


def _is_gvisor(trial: dict[str, Any]) -> bool:
    """True if the kernel's version is gVisor's and its boot id is not the host's."""
    own = trial.get("boot_id") != trial.get("host_boot_id")
    return own and names_gvisor(_text(trial.get("kernel")) or "")


def names_gvisor(version: str) -> bool:
    """Whether a text of /proc/version is gVisor's. A proof also needs a boot id that differs from the host's."""
    return GVISOR_KERNEL in version or _GVISOR_NAME in version


def explain_failure(message: str, runtime: Runtime) -> tuple[str, str]:
    """The cause in an engine's long error message, and a hint what to do."""
    if "cannot run with network enabled in root network namespace" in message:
        return (
            "this runsc cannot set up its own network on this kernel (6.9 or later)",
            "`sudo sandboxd setup gvisor --apply` registers it with `--network=host` (the container's "
            "own network, not the host's); a newer runsc needs no such argument (gvisor#10704)",
        )
    missing = re.search(
        r"exec:? \"?([^\s\":]+)\"?: (?:no such file|executable file not found|stat)", message
    )
    if missing or ("no such file or directory" in message and runtime.path in message):
        path = missing.group(1) if missing and "/" in missing.group(1) else runtime.path
        return (
            f"its program `{path}` does not exist",
            "install it, or take the runtime out of /etc/docker/daemon.json",
        )
    if "unknown or invalid runtime name" in message:
        return (
            "the engine no longer knows it",
            "`sudo systemctl reload docker`, then `sandboxd doctor`",
        )
    if "SELinux is not supported" in message:
        return (
            "this engine labels containers for SELinux, which gVisor does not support",
            'set `"selinux-enabled": false` in the engine\'s daemon.json and restart it',
        )
    if re.search(r"mkdir \S{0,300}/cgroup/\S{1,300}: permission denied", message):
        return (
            "it may not make control groups: this engine is rootless, without delegation",
            f"add `--ignore-cgroups` to the arguments of `{runtime.name}` in the engine's "
            "daemon.json and restart it; limits are not enforced then",
        )
    if "cgroups in hybrid mode not supported" in message:
        return (
            "it needs cgroup version 2 alone, and this machine has both",
            "start Podman's service with `--runtime runc`; or boot with cgroup version 2 "
            "(`systemd.unified_cgroup_hierarchy=1`)",
        )
    if "permission denied" in message.lower():
        return f"permission denied: {_cause(message)}", _LOG
    return _cause(message) or "it failed without a message", _LOG


_LOG = "see the engine's log: `journalctl -u docker -n 50`, or that of `podman system service`"


def _cause(message: str) -> str:
    """The last part of a chain of `a: b: c: unknown.`, where runtimes put the cause."""
    text = re.sub(r"(: unknown)?\.?$", "", message.strip())
    parts = [part.strip() for part in text.split(": ") if part.strip()]
    return ": ".join(parts[-2:])[-300:]


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
