"""Every statement of the installation guide's sections on platforms, measures and recommendations.

Each test names its line of tests/data/installation-guide.md and holds what sandboxd does about it;
docs/seed-guide.md is the table of all of them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from sandboxd.host.facts import HostFacts
from sandboxd.host.facts.raw_answers import from_raw
from sandboxd.host.platforms import load, platform_of
from sandboxd.plan import profiles
from sandboxd.plan.recommend import PURPOSES, Recommendation, recommend
from sandboxd.setup import gvisor, packages

TESTS = Path(__file__).parents[1]
GUIDE = (TESTS / "data" / "installation-guide.md").read_text().splitlines()


def line(number: int, text: str) -> str:
    assert text in GUIDE[number - 1], f"line {number} says: {GUIDE[number - 1]}"
    return GUIDE[number - 1]


def host(name: str) -> HostFacts:
    return from_raw(json.loads((TESTS / "hosts" / f"{name}.json").read_text()))


def advice(name: str, purpose: str) -> Recommendation:
    chosen = next(one for one in PURPOSES if one.name == purpose)
    return recommend(host(name), chosen)


def shown(options: gvisor.Options) -> str:
    return "\n".join("\n".join(step.shows()) for step in gvisor.steps(options))


REPOSITORY = gvisor.Options(source="repository")


def test_line_5_what_gvisor_intercepts() -> None:
    line(5, "before they reach the host kernel")
    # Counted as gVisor only when its own kernel was seen inside, on a boot id of its own.
    facts = host("debian-13-runsc")
    assert facts.usable_gvisor() is not None
    raw = json.loads((TESTS / "hosts" / "debian-13-runsc.json").read_text())
    for trial in raw["engine"]["trials"].values():
        trial["kernel"] = "Linux version 6.18.44"
    assert from_raw(raw).usable_gvisor() is None


def test_line_11_linux_is_where_gvisor_is_recommended() -> None:
    line(11, "Full gVisor support")
    assert ("gVisor", "yes") in [(a.control, a.possible) for a in load()["linux_native"].ABILITIES]
    assert "setup gvisor" in platform_of(host("arch-linux")).advice(host("arch-linux")).steps[0]


def test_line_15_the_key_is_checked_against_a_pinned_fingerprint() -> None:
    written = line(15, "archive.key")
    assert packages.KEY_URL in written and packages.KEYRING in written
    assert packages.KEY_FINGERPRINT in shown(REPOSITORY)
    assert len(packages.KEY_FINGERPRINT) == 40


def test_line_16_the_repository_is_the_guides() -> None:
    written = line(16, "sources.list.d")
    assert packages.sources_file() in written and packages.REPOSITORY in written
    assert packages.sources_file() in shown(REPOSITORY)


@pytest.mark.parametrize(("number", "text"), [(18, "apt-get update"), (19, "apt-get install -y")])
def test_lines_18_and_19_apt(number: int, text: str) -> None:
    line(number, text)
    assert text in shown(REPOSITORY)


def test_line_22_our_runtimes_instead_of_the_stock_one() -> None:
    line(22, "runsc install")
    text = shown(REPOSITORY)
    assert "runsc-sandboxd" in text and "which arguments it needs here" in text


def test_line_23_a_reload_instead_of_a_restart() -> None:
    line(23, "systemctl restart docker")
    assert "reload the engine (no container stops)" in shown(REPOSITORY)


def test_line_26_verified_by_the_kernel_and_not_by_a_greeting() -> None:
    line(26, "hello-world")
    assert "start one throw-away container with runsc-sandboxd" in shown(REPOSITORY)
    stock = host("debian-13-stock-runsc-fails")
    assert stock.usable_gvisor() is None, "the guide's own steps end here on kernels from 6.9 on"


def test_line_31_docker_desktop_on_macos_has_no_gvisor() -> None:
    line(31, "doesn't work directly with Docker Desktop on macOS")
    facts = host("macos-docker-desktop")
    assert facts.usable_gvisor() is None
    assert "Docker Desktop" in platform_of(facts).why_no_gvisor(facts).why


@pytest.mark.parametrize(
    ("number", "text", "place", "ours"),
    [
        (34, "Use Linux VM with native Docker", 0, "a Linux virtual machine with its own Docker"),
        (35, "enhanced security features", 1, "runc with every other control"),
        (36, "Accept runc with defense-in-depth", 1, "runc with every other control"),
    ],
)
def test_lines_34_to_36_the_alternatives_in_order(
    number: int, text: str, place: int, ours: str
) -> None:
    line(number, text)
    alternative = load()["docker_desktop_mac"].ALTERNATIVES[place]
    assert alternative.title == ours and alternative.steps


def test_line_39_containers_run_in_a_linux_vm() -> None:
    line(39, "inside a Linux VM")
    facts = host("macos-docker-desktop")
    assert any("virtual machine" in text for text in platform_of(facts).advice(facts).limits)


@pytest.mark.parametrize(
    ("number", "text"),
    [(40, "needs direct access to the host kernel"), (41, "VM layer prevents proper gVisor")],
)
def test_lines_40_and_41_the_reason_is_corrected(number: int, text: str) -> None:
    line(number, text)
    page = load()["docker_desktop_mac"].__doc__
    assert page is not None and "That is not the reason" in page
    inside_a_machine = host("ubuntu-24-04-gvisor")
    assert inside_a_machine.hypervisor == "kvm" and inside_a_machine.usable_gvisor() is not None


def test_line_45_docker_desktop_on_windows() -> None:
    line(45, "Docker Desktop uses WSL2 or Hyper-V VM")
    for name in ("windows-docker-desktop", "wsl2-docker-desktop"):
        facts = host(name)
        assert facts.usable_gvisor() is None
        assert "own virtual machine" in platform_of(facts).why_no_gvisor(facts).why


def test_line_48_wsl2_with_its_own_engine() -> None:
    line(48, "Use WSL2 with native Docker")
    first = load()["docker_desktop_windows"].ALTERNATIVES[0]
    assert first.title == "WSL2 with its own Docker engine" and "do not support WSL" in first.why
    assert host("wsl2-native-gvisor").usable_gvisor() is not None, "used where a trial started"


def test_line_49_the_other_controls_on_windows() -> None:
    line(49, "enhanced security features")
    assert (
        load()["docker_desktop_windows"].ALTERNATIVES[-1].title == "runc with every other control"
    )


def test_line_53_without_gvisor_the_other_controls_are_used() -> None:
    line(53, "When gVisor isn't available")
    decision = advice("macos-docker-desktop", "development").decision
    assert decision.choice is not None and not decision.choice.gvisor
    assert [item.control for item in decision.downgrades] == ["gVisor"]


def test_lines_57_to_113_the_seccomp_list() -> None:
    line(57, "seccomp-profile.json")
    line(113, "--security-opt seccomp=")
    printed = json.loads("\n".join(GUIDE[59:108]))
    shipped = json.loads(
        Path(profiles.seccomp_path(profiles.load("seed-baseline").seccomp_runc)).read_text()
    )
    names = {name for rule in shipped["syscalls"] for name in rule["names"]}
    assert {name for rule in printed["syscalls"] for name in rule["names"]} < names
    assert "statx" in names, "runc 1.3 and 1.4 start no container without it"
    faults = " ".join(fault.why for fault in profiles.load("seed-baseline").faults)
    assert "node aborts" in faults and "user namespaces" in faults


def test_lines_118_to_135_the_apparmor_profile_does_not_compile(tmp_path: Path) -> None:
    line(118, "docker-claude-sandbox")
    parser = shutil.which("apparmor_parser", path="/sbin:/usr/sbin:/usr/bin")
    if parser is None:
        pytest.skip("apparmor_parser is not installed")
    (tmp_path / "profile").write_text("\n".join(GUIDE[120:134]) + "\n")
    done = subprocess.run(
        [parser, "-Q", "-K", "--skip-kernel-load", str(tmp_path / "profile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0 and "HOMEDIRS" in done.stderr


def test_lines_141_to_145_capabilities() -> None:
    written = {line(n, "--cap-add=").split("=")[1].rstrip(" \\") for n in range(142, 146)}
    line(141, "--cap-drop=ALL")
    baseline, dev = profiles.load("seed-baseline"), profiles.load("dev")
    assert baseline.cap_drop == dev.cap_drop == ("ALL",)
    assert set(baseline.cap_add) == written
    assert set(dev.cap_add) == written | {"FOWNER"}, "package managers set modes of root's files"


def test_line_152_no_new_privileges() -> None:
    line(152, "no-new-privileges:true")
    for name in ("seed-baseline", "dev", "agent"):
        assert profiles.load(name).no_new_privileges


def test_lines_167_to_169_the_figures_are_marked_as_the_guides() -> None:
    line(168, "~2-5% overhead")
    line(169, "~10-20% overhead")
    costs = advice("debian-13-runsc", "development").costs
    guides = {cost.what: cost.figure for cost in costs if cost.source.startswith("the guide's")}
    assert guides == {"runc": "the baseline", "runc + seccomp": "~2-5 %", "gVisor": "~10-20 %"}
    assert any(cost.source.startswith("measured") for cost in costs)


def test_line_173_production_linux() -> None:
    line(173, "Use gVisor + seccomp + AppArmor")
    recommendation = advice("ubuntu-24-04-gvisor", "production")
    assert recommendation.decision.choice is not None and recommendation.decision.choice.gvisor
    text = " ".join(recommendation.controls)
    assert "not for what enters by `exec`" in text and "gVisor ignores it" in text
    assert advice("ubuntu-24-04-apparmor", "production").decision.choice is None


@pytest.mark.parametrize("name", ["macos-docker-desktop", "windows-docker-desktop"])
def test_line_174_development_on_macos_and_windows(name: str) -> None:
    line(174, "Use runc + seccomp + capability dropping")
    recommendation = advice(name, "development")
    assert (
        recommendation.decision.choice is not None and recommendation.decision.choice.name == "runc"
    )
    text = " ".join(recommendation.controls)
    assert "seccomp: offered" in text and "capabilities: ALL dropped" in text


def test_line_175_high_security() -> None:
    line(175, "Linux host with full gVisor support")
    recommendation = advice("ubuntu-24-04-gvisor", "high-security")
    assert recommendation.decision.choice is not None and recommendation.decision.choice.gvisor
    for name in ("macos-docker-desktop", "arch-linux", "linux-docker-desktop"):
        refused = advice(name, "high-security").decision
        assert refused.choice is None and refused.fix
