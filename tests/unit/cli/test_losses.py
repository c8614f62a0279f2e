"""What a start says of controls that are not in force: grouped where it would fill a screen."""

from __future__ import annotations

import pytest

from sandboxd.cli import losses

OLD_BUILD = [
    "control files",
    "git on the host",
    "seccomp",
    "network",
    "gVisor build",
]


def entries(*controls: str) -> list[dict[str, str]]:
    return [{"control": name, "why": f"why {name}", "fix": f"mend {name}"} for name in controls]


def said(capsys: pytest.CaptureFixture[str], *controls: str, everything: bool = False) -> list[str]:
    losses.say(entries(*controls), everything)
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_a_few_are_said_in_full_in_the_order_of_the_plan(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert said(capsys, "seccomp", "network", "time limit") == [
        "not in force  seccomp: why seccomp",
        "  hint:       mend seccomp",
        "not in force  network: why network",
        "  hint:       mend network",
        "not in force  time limit: why time limit",
        "  hint:       mend time limit",
    ]
    assert said(capsys) == []


def test_of_many_the_most_important_are_said_and_the_others_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert said(capsys, *OLD_BUILD) == [
        "not in force  network: why network",
        "  hint:       mend network",
        "not in force  gVisor build: why gVisor build",
        "  hint:       mend gVisor build",
        "not in force  3 more: control files, seccomp, git on the host",
        "  hint:       `sandboxd up --all` says each, and what mends it",
    ]


@pytest.mark.parametrize("control", ["credentials", "service", "build", "git repository", "record"])
def test_what_is_of_the_project_is_said_in_full(
    capsys: pytest.CaptureFixture[str], control: str
) -> None:
    lines = said(capsys, *OLD_BUILD, control, control, control)
    assert lines.count(f"not in force  {control}: why {control}") == 3
    assert any(line.startswith("not in force  3 more: ") for line in lines)


def test_the_machines_are_counted_without_the_projects(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "seccomp", "service", "service", "service", "network", "user")
    assert len(lines) == 12 and not any("more:" in line for line in lines)


def test_all_of_them_are_said_where_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, *OLD_BUILD, everything=True)
    assert [line for line in lines if line.startswith("not in force")] == [
        f"not in force  {name}: why {name}" for name in OLD_BUILD
    ]


def test_several_of_one_control_are_counted() -> None:
    assert losses.names(entries("service", "AppArmor", "service")) == "service (2), AppArmor"


def test_nothing_is_lost_between_the_two() -> None:
    for count in range(8):
        of = entries(*(OLD_BUILD * 2)[:count])
        first, rest = losses.group(of)
        assert sorted(map(str, [*first, *rest])) == sorted(map(str, of))
        assert len(first) <= 3
