"""Interprets the raw answers of a machine. Pure; tolerant of anything in a pasted report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from sandboxd.host.facts import Component, HostFacts
from sandboxd.host.facts.engine import engine_from_raw
from sandboxd.host.facts.nvidia import nvidia

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.host.facts import Engine


# Distribution or one that it is like (os-release ID, ID_LIKE) -> its package manager.
_MANAGERS = (
    ("nixos", "nix"),
    ("debian", "apt"),
    ("ubuntu", "apt"),
    ("fedora", "dnf"),
    ("rhel", "dnf"),
    ("centos", "dnf"),
    ("arch", "pacman"),
    ("suse", "zypper"),
    ("opensuse", "zypper"),
    ("alpine", "apk"),
)

_HYPERVISORS = (
    ("qemu", "kvm"),
    ("kvm", "kvm"),
    ("amazon ec2", "kvm"),
    ("google", "kvm"),
    ("vmware", "vmware"),
    ("innotek", "virtualbox"),
    ("virtualbox", "virtualbox"),
    ("microsoft", "microsoft"),
    ("apple", "apple"),
    ("xen", "xen"),
)

_SELINUX = {"1": "enforcing", "0": "permissive", "": "disabled"}


def machine_from_raw(raw: dict[str, Any]) -> dict[str, Any]:
    """The fields of `HostFacts` about the machine; None for what was not asked."""
    release = os_release(raw.get("os_release"))
    system = raw.get("system")
    return {
        "distribution": release.get("ID"),
        "release": release.get("VERSION_CODENAME"),
        "packages": _components(raw.get("packages")),
        "programs": _components(raw.get("programs")),
        "cuse": raw.get("cuse") if isinstance(raw.get("cuse"), bool) else None,
        "package_manager": _manager(raw, release),
        "init": _init(raw.get("init")),
        "selinux": _SELINUX.get(str(raw["selinux"]).strip()) if "selinux" in raw else None,
        "user_namespaces": _user_namespaces(raw) if system == "Linux" else None,
        "kvm": raw.get("kvm") if isinstance(raw.get("kvm"), bool) else None,
        "hypervisor": _hypervisor(raw.get("machine")),
        "buildkit": _program_version(
            (raw.get("engine") or {}).get("buildkitd")
            if isinstance(raw.get("engine"), dict)
            else None
        ),
        "ci": raw.get("ci") if raw.get("ci") in ("github", "gitlab") else None,
    }


def os_release(text: object) -> dict[str, str]:
    """The variables in the text of an os-release file; {} for anything but text."""
    if not isinstance(text, str):
        return {}
    return {
        match[1]: match[2].strip().strip("\"'")
        for match in re.finditer(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE)
    }


def _manager(raw: dict[str, Any], release: dict[str, str]) -> str | None:
    if raw.get("system") == "Darwin":
        return "brew"
    words = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    for name, manager in _MANAGERS:
        if any(word == name or word.startswith(f"{name}-") for word in words):
            return manager
    return None


def _init(name: object) -> str | None:
    return name.strip() or None if isinstance(name, str) else None


def _user_namespaces(raw: dict[str, Any]) -> bool | None:
    """False if any switch forbids user namespaces; None where no switch was read."""
    switches = [
        _number(raw.get("max_user_namespaces")),
        _number(raw.get("unprivileged_userns_clone")),
    ]
    if 0 in switches or _number(raw.get("apparmor_restrict_unprivileged_userns")) == 1:
        return False
    return None if switches == [None, None] else True


def _hypervisor(text: object) -> str | None:
    words = text.lower() if isinstance(text, str) else ""
    return next((name for mark, name in _HYPERVISORS if mark in words), None)


def _program_version(line: object) -> str | None:
    """The version in a line such as ``buildkitd github.com/moby/buildkit v0.12.5 1234``."""
    match = re.search(r"(?<![\w.])v?(\d+\.\d+[\w.+~-]*)", line) if isinstance(line, str) else None
    return match[1] if match else None


def _components(versions: object) -> tuple[Component, ...]:
    """Names with their versions."""
    if not isinstance(versions, dict):
        return ()
    return tuple(
        Component(str(name), version)
        for name, version in sorted(versions.items())
        if isinstance(version, str)
    )


def _number(value: object) -> int | None:
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if text.isdecimal() else None


T = TypeVar("T")


def from_raw(raw: dict[str, Any]) -> HostFacts:
    """The facts in the raw answers of `host.probe`, or in a report that a user pasted."""
    engine = raw.get("engine")
    facts = engine_from_raw(engine) if isinstance(engine, dict) else None
    system = _as(str, raw.get("system"))
    kernel_text = (_as(str, raw.get("proc_version")) or "").lower()
    cgroup2 = _as(bool, raw.get("cgroup2"))
    return HostFacts(
        system=system,
        kernel=_as(str, raw.get("kernel")),
        arch=_as(str, raw.get("architecture")),
        uid=_as(int, raw.get("uid")),
        gid=_as(int, raw.get("gid")),
        home=_as(str, raw.get("home")),
        wsl="microsoft" in kernel_text if kernel_text else None,
        apparmor=_control(facts, "apparmor", raw.get("apparmor"), system),
        seccomp=_control(facts, "seccomp", raw.get("seccomp_actions"), system),
        cgroup_version=(facts.cgroup_version if facts else None)
        or (None if cgroup2 is None or system != "Linux" else "2" if cgroup2 else "1"),
        engine=facts,
        apparmor_profiles=_loaded_profiles(raw.get("apparmor_profiles"), facts),
        nvidia=nvidia(raw.get("nvidia")),
        **machine_from_raw(raw),
    )


def _control(engine: Engine | None, name: str, file: object, system: str | None) -> bool | None:
    """Whether the kernel that runs containers has a control; the engine's answer takes precedence."""
    if engine is not None and engine.version is not None:
        return any(name in option for option in engine.security_options)
    if system != "Linux":
        return None
    return isinstance(file, str) and file.strip() != "N"


def _loaded_profiles(file: object, engine: Engine | None) -> tuple[str, ...] | None:
    """The names in lines such as ``name (enforce)``; None for another machine's engine."""
    if not isinstance(file, str) or engine is None or not engine.host.startswith("unix:"):
        return None
    lines = (line.rpartition(" (") for line in file.splitlines())
    return tuple(
        sorted(n for n, _, mode in lines if n.startswith("sandboxd-") and mode == "enforce)")
    )


def _as(kind: type[T], value: object) -> T | None:
    if isinstance(value, bool) and kind is not bool:
        return None
    return value if isinstance(value, kind) else None
