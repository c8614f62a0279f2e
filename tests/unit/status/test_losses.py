"""The rows about what is not in force: the gravest first, and none hidden without a word."""

from __future__ import annotations

import pytest

from sandboxd.model.container import Container
from sandboxd.observe.control import Control
from sandboxd.status import in_full, text
from sandboxd.status.combine import Examined, combine
from sandboxd.status.model import DaemonLine, StatusReport
from sandboxd.status.observe import Observed, Sandbox

DAEMON = DaemonLine(True, "1.2.3", 42, 1, "events")


def losses(*downgrades: str, problem: str = "") -> list[str]:
    """The rows from the first loss on, of a project with these downgrades."""
    asked = Container("c", None)
    examined = Examined("dev", request=asked, problem=problem, downgrades=downgrades)
    row = combine("/p", examined, Observed({}))
    shown = text.render(StatusReport(DAEMON, None, (row,), here="/p"), colour=False, columns=80)
    lines = shown.splitlines()
    begin = next(n for n, line in enumerate(lines) if line.startswith("  not in force"))
    return [line[2:].strip() for line in lines[begin:] if line.startswith("  ")]


def test_the_gravest_loss_is_first_and_the_number_of_the_others_is_told() -> None:
    few = losses("AppArmor: c", "limits: b", "gVisor: a")
    assert [line.split()[3] for line in few[:3]] == ["gVisor:", "limits:", "AppArmor:"]
    assert "more" not in " ".join(few)
    many = losses(*(f"other {n}: x" for n in range(5)), "cpu limit: b", "network: a")
    assert [line.split()[3] for line in many[:2]] == ["network:", "cpu"]
    assert many[3] == "4 more: `sandboxd status --long`"


def test_four_losses_are_four_rows() -> None:
    four = losses("a: 1", "b: 2", "c: 3", "d: 4")
    assert [line.split()[3] for line in four[:4]] == ["a:", "b:", "c:", "d:"]


def running(*downgrades: str, long: bool) -> str:
    """The words on the screen of a running project whose plan has these downgrades."""
    controls = (
        Control("network", "in force", "names through the gateway"),
        Control("AppArmor", "left out", "the kernel gives the process no label"),
        Control("seccomp", "not in force", "Seccomp is 0"),
        Control("process limit", "not seen", "its status is closed here"),
    )
    container = Container("c", None)
    row = combine(
        "/p",
        Examined("dev", request=container, downgrades=downgrades),
        Observed({"/p": Sandbox(True, container, controls)}),
    )
    report = StatusReport(DAEMON, None, (row,), here="/p")
    screen = (in_full if long else text).render(report, colour=False, columns=80)
    return " ".join(screen.split())


@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_what_is_in_force_in_part_or_cannot_be_had_is_named_while_it_runs(long: bool) -> None:
    screen = running(
        "network: this host's `rp_filter` is 0",
        "AppArmor: the engine has none",
        "process limit: no controller",
        long=long,
    )
    assert "not in force network: this host's `rp_filter` is 0" in screen
    assert "not in force AppArmor: the engine has none" in screen
    assert "not in force process limit: no controller" in screen


def test_what_is_known_to_be_lost_is_not_told_as_not_seen() -> None:
    assert "its status is closed here" in running(long=False)
    assert "its status is closed here" not in running("process limit: no controller", long=False)


@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_what_was_seen_to_be_lost_is_not_told_twice(long: bool) -> None:
    screen = running("seccomp: cannot be had", long=long)
    assert "seccomp: Seccomp is 0" in screen and "cannot be had" not in screen


def test_the_long_screen_names_each_loss() -> None:
    screen = running(*(f"other {n}: x" for n in range(9)), long=True)
    assert screen.count("not in force other ") == 9
