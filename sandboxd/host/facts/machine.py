"""Reads facts from raw answers about the machine: distribution, init, user namespaces, CI. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.host.facts import Component

if TYPE_CHECKING:
    from typing import Any

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
