"""The rows about what is not in force: the gravest first, and none hidden without a word."""

from __future__ import annotations

from sandboxd.model.container import Container
from sandboxd.status import text
from sandboxd.status.combine import Examined, combine
from sandboxd.status.model import DaemonLine, StatusReport
from sandboxd.status.observe import Observed

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
