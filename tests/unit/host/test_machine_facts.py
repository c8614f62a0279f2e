"""Facts of the machine from raw answers; what was not asked stays unknown."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.host.facts.raw_answers import from_raw

LINUX = {"system": "Linux"}


@pytest.mark.parametrize(
    ("release", "manager"),
    [
        ("ID=debian", "apt"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"', "apt"),
        ("ID=fedora", "dnf"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', "dnf"),
        ("ID=arch", "pacman"),
        ('ID=endeavouros\nID_LIKE="arch"', "pacman"),
        ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"', "zypper"),
        ("ID=nixos", "nix"),
        ("ID=alpine", "apk"),
        ("ID=slackware", None),
        ("", None),
        (None, None),
    ],
)
def test_package_manager(release: str | None, manager: str | None) -> None:
    assert from_raw(LINUX | {"os_release": release}).package_manager == manager


@pytest.mark.parametrize(
    ("raw", "allowed"),
    [
        ({}, None),
        ({"max_user_namespaces": "127234"}, True),
        ({"max_user_namespaces": "0"}, False),
        ({"max_user_namespaces": "5", "unprivileged_userns_clone": "0"}, False),
        ({"max_user_namespaces": "5", "unprivileged_userns_clone": "1"}, True),
        ({"max_user_namespaces": "5", "apparmor_restrict_unprivileged_userns": "1"}, False),
        ({"max_user_namespaces": ["x"]}, None),
    ],
)
def test_user_namespaces(raw: dict[str, Any], allowed: bool | None) -> None:
    assert from_raw(LINUX | raw).user_namespaces is allowed
    assert from_raw({"system": "Darwin"} | raw).user_namespaces is None


@pytest.mark.parametrize(
    ("machine", "hypervisor"),
    [
        ("QEMU Standard PC (Q35 + ICH9, 2009)", "kvm"),
        ("VMware, Inc. VMware Virtual Platform", "vmware"),
        ("innotek GmbH VirtualBox", "virtualbox"),
        ("Microsoft Corporation Virtual Machine", "microsoft"),
        ("Apple Inc. Apple Virtualization Generic Platform", "apple"),
        ("Dell Inc. XPS 13", None),
        (None, None),
    ],
)
def test_hypervisor(machine: str | None, hypervisor: str | None) -> None:
    assert from_raw(LINUX | {"machine": machine}).hypervisor == hypervisor


def test_selinux_and_the_rest() -> None:
    assert from_raw(LINUX | {"selinux": "1"}).selinux == "enforcing"
    assert from_raw(LINUX | {"selinux": "0"}).selinux == "permissive"
    assert from_raw(LINUX | {"selinux": ""}).selinux == "disabled"
    assert from_raw(LINUX).selinux is None
    assert from_raw(LINUX | {"ci": "jenkins"}).ci is None
    line = "buildkitd github.com/moby/buildkit v0.12.4 833949d0"
    assert from_raw(LINUX | {"engine": {"buildkitd": line}}).buildkit == "0.12.4"
