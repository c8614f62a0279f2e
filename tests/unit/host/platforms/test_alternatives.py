"""What a host without gVisor is offered."""

from __future__ import annotations

import importlib

import pytest

from sandboxd.host.facts import HostFacts
from sandboxd.host.platforms import _texts, podman
from sandboxd.setup.gvisor import printed_plan


@pytest.mark.parametrize(
    "name",
    [
        "ci_github", "colima", "docker_desktop_linux", "docker_desktop_mac",
        "docker_desktop_windows", "linux_native", "orbstack", "podman", "rancher_desktop",
        "rootless", "wsl2",
    ],
)  # fmt: skip
def test_what_needs_no_gvisor_is_offered_everywhere(name: str) -> None:
    assert _texts.HARDEN in importlib.import_module(f"sandboxd.host.platforms.{name}").ALTERNATIVES


def test_without_an_engine_nothing_is_said_of_its_rights() -> None:
    advice = podman.advice(HostFacts(system="Linux", cgroup_version="1"))
    assert "rootless" not in " ".join(advice.limits)


@pytest.mark.parametrize(
    ("manager", "first"),
    [
        ("dnf", "# there is no package of gVisor"),
        ("pacman", "# or gvisor-bin from the AUR"),
        ("zypper", "# no package of gVisor in the distribution"),
        ("nix", "# configuration.nix"),
    ],
)
def test_each_distribution_has_its_own_plan(manager: str, first: str) -> None:
    plan = printed_plan(HostFacts(package_manager=manager))
    assert plan is not None and plan[0].startswith(first)
    assert printed_plan(HostFacts(package_manager="apt")) is None
