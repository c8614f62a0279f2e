"""A pin that the host took away is the first line of `status`, whatever else there is to say."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sandboxd.halt import record
from sandboxd.halt.points import What
from sandboxd.halt.record import Entry, Halt, Owner, Reason
from sandboxd.model.container import Container, Pair
from sandboxd.model.labels import MADE_BY, UP
from sandboxd.model.values import Origin, Value
from sandboxd.observe import pins
from sandboxd.observe.control import Control
from sandboxd.observe.pin import Pin, Request, State, Witness
from sandboxd.observe.pins import Subject
from sandboxd.status import as_json, text
from sandboxd.status.combine import Examined, combine
from sandboxd.status.glance import glance
from sandboxd.status.model import DaemonLine, ProjectStatus, StatusReport
from sandboxd.status.observe import Observed, Sandbox
from sandboxd.verify import last_verdict
from sandboxd.verify.last_verdict import Verified

PINNED = Control("read-only /w/.envrc", "in force", "mounted read-only")


def pin_of(name: str, state: State) -> Pin:
    return Pin(name, f"/w/{name}", f"/p/{name}", state, Witness.GOFER, "its mount is gone")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Pin, ...]]:
    """What a look at the pins of a container finds at this moment, by its id."""
    found: dict[str, tuple[Pin, ...]] = {}
    monkeypatch.setattr(pins, "look", lambda of: found[of.container])
    return found


def live(container: str = "c1", made_by: str = UP) -> Sandbox:
    origin = Origin("engine", "c1")
    container_ = Container("c", None, labels=(Value(Pair(MADE_BY, made_by), origin),))
    subject = Subject(container, 7, (), {})
    return Sandbox(True, container_, (PINNED,), container, "run 1", pinned=subject)


def row_of(*, made_by: str = UP, **more: Any) -> ProjectStatus:
    return combine("/p", Examined(**more), Observed({"/p": live(made_by=made_by)}))


def screen(row: ProjectStatus, form: text.Form = "text", here: str = "/p") -> list[str]:
    report = StatusReport(DaemonLine(False), None, (row,), here=here)
    return text.render(report, form, colour=False, columns=200).splitlines()


def test_it_is_the_first_line_of_every_form(now: dict[str, tuple[Pin, ...]]) -> None:
    now["c1"] = (pin_of(".envrc", State.LOST), pin_of(".vscode", State.HOLDS))
    row = row_of(problem="the config is broken")
    for form in ("text", "all", "long"):
        first = screen(row, form)[0]
        assert first.startswith("✗ PIN LOST: `.envrc` was replaced or moved"), form
        assert "`/p`" not in first
    assert screen(row, here="/other")[0].startswith("✗ /p: PIN LOST")
    assert screen(row, "short") == ["✗ pin-lost"]


def test_nothing_that_was_seen_before_hides_it(now: dict[str, tuple[Pin, ...]]) -> None:
    """The same observation, as a daemon keeps it, is shown by what is so at each look."""
    now["c1"] = (pin_of(".envrc", State.HOLDS),)
    observed = Observed({"/p": live()})
    before = combine("/p", Examined(), observed)
    assert (before.lost_pins, glance(before).word) == ((), "running")
    now["c1"] = (pin_of(".envrc", State.LOST),)
    after = combine("/p", Examined(), observed)
    assert [pin.name for pin in after.lost_pins] == [".envrc"]
    assert after.in_force is not None
    assert [c.state for c in after.in_force.controls] == ["not in force"]
    assert glance(after).word == "pin-lost"


def test_files_that_are_looked_at_again_do_not_hide_it(now: dict[str, tuple[Pin, ...]]) -> None:
    now["c1"] = (pin_of(".envrc", State.LOST),)
    assert glance(row_of()._replace(checking=True)).word == "pin-lost"


def test_a_verdict_from_before_no_longer_counts(
    now: dict[str, tuple[Pin, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = Verified("run 1", True, (), 0, 90, 0.0)
    monkeypatch.setattr(last_verdict, "recall", lambda _: result)
    now["c1"] = ()
    assert (verified := row_of().verified) is not None and verified.state == "held"
    now["c1"] = (pin_of(".envrc", State.LOST),)
    assert (verified := row_of().verified) is not None and verified.state == "void"


@pytest.mark.parametrize(
    ("made_by", "step"),
    [(UP, "`sandboxd up --recreate` makes"), ("editor", "rebuild the container")],
)
def test_the_next_step_comes_first(
    now: dict[str, tuple[Pin, ...]], made_by: str, step: str
) -> None:
    now["c1"] = (pin_of(".envrc", State.LOST),)
    row = row_of(made_by=made_by, stale=True)
    assert row.hint.startswith(step)
    assert screen(row)[-1].startswith(f"hint: {step}")


def test_a_named_sandbox_on_the_folder_is_looked_at_too(now: dict[str, tuple[Pin, ...]]) -> None:
    now |= {"c1": (), "c2": (pin_of(".envrc", State.LOST),)}
    observed = Observed({"/p": live(), "/p//login": live("c2"), "/q//x": live("c3")})
    row = combine("/p", Examined(), observed)
    assert screen(row)[0].startswith("✗ PIN LOST in `login`: `.envrc`")
    assert row.hint.startswith("`sandboxd up --name login --recreate`")
    assert glance(row).word == "pin-lost"


def test_the_document_has_them(now: dict[str, tuple[Pin, ...]]) -> None:
    now["c1"] = (pin_of(".envrc", State.LOST), pin_of("tree", State.NOT_CHECKED))
    report = StatusReport(DaemonLine(False), None, (row_of(),))
    (project,) = json.loads(as_json.render(report))["projects"]
    assert project["lost_pins"] == [
        {
            "name": ".envrc",
            "path": "/p/.envrc",
            "inside": "/w/.envrc",
            "why": "its mount is gone",
            "known_by": Witness.GOFER.value,
        }
    ]
    assert (project["unchecked_pins"], project["lost_beside"]) == (["tree"], {})


def test_a_mount_around_pins_is_a_control_once_it_is_lost(now: dict[str, tuple[Pin, ...]]) -> None:
    now["c1"] = (pin_of(".config", State.LOST),)
    row = row_of()
    assert row.in_force is not None
    assert [(c.name, c.state) for c in row.in_force.controls] == [
        ("read-only /w/.envrc", "in force"),
        ("mount /w/.config", "not in force"),
    ]


def halt_of(sandbox: str, container: str) -> Halt:
    entry = Entry(".envrc", What.REPLACED)
    return Halt(sandbox, container, Owner.DAEMON, Reason.REPLACED, 1.0, (entry,))


@pytest.fixture
def halted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Observed:
    """A sandbox that is halted, as a daemon writes it down, and one with a name beside it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for sandbox, container in (("/p", "c1"), ("/p//login", "c2")):
        record.save(os.environ, halt_of(sandbox, container))
    return Observed(
        {"/p": live()._replace(paused=True), "/p//login": live("c2")._replace(paused=True)}
    )


def test_a_halt_is_the_first_line_with_the_one_command(
    now: dict[str, tuple[Pin, ...]], halted: Observed
) -> None:
    now |= {"c1": (pin_of(".envrc", State.LOST),), "c2": ()}
    row = combine("/p", Examined(stale=True), halted)
    lines = screen(row)
    assert lines[0].startswith("✗ HALTED: `.envrc` was replaced on the host")
    assert lines[1].startswith("✗ HALTED `login`: ")
    assert not any("PIN LOST" in line for line in lines)
    assert lines[-1].startswith("hint: `sandboxd up --recreate`")
    assert screen(row, "short") == ["✗ halted"]
    report = StatusReport(DaemonLine(False), None, (row,))
    (project,) = json.loads(as_json.render(report))["projects"]
    assert project["halted"].startswith("`.envrc` was replaced") and len(project["lost"]) == 2


def test_each_of_two_containers_of_one_sandbox_is_named_when_it_is_halted(
    now: dict[str, tuple[Pin, ...]], halted: Observed
) -> None:
    now |= dict.fromkeys(("c1", "c2", "c3"), ())
    record.save(os.environ, halt_of("/p", "c3"))
    second = live("c3", "editor")._replace(paused=True, name="dreamy_turing", is_editors=True)
    row = combine("/p", Examined(), halted._replace(beside=(("/p", second), ("/q", second))))
    lines = screen(row)
    assert lines[0].startswith("✗ HALTED: `.envrc` was")
    assert lines[2].startswith("✗ HALTED `dreamy_turing`: `.envrc` was")
    report = StatusReport(DaemonLine(False), None, (row,))
    (project,) = json.loads(as_json.render(report))["projects"]
    assert project["halted_beside"].keys() == {"login", "dreamy_turing"}
    # The one that is shown runs again.
    running = Observed({"/p": live()}, beside=(("/p", second),))
    row = combine("/p", Examined(), running)
    assert screen(row)[0].startswith("✗ HALTED `dreamy_turing`: ")
    assert glance(row).word == "halted"
    assert "Rebuild Container" in row.hint


def test_a_second_container_that_lost_a_pin_is_named(now: dict[str, tuple[Pin, ...]]) -> None:
    now |= {"c1": (), "c3": (pin_of(".envrc", State.LOST),)}
    second = live("c3", "editor")._replace(name="dreamy_turing", is_editors=True)
    row = combine("/p", Examined(), Observed({"/p": live()}, beside=(("/p", second),)))
    assert screen(row)[0].startswith("✗ PIN LOST in `dreamy_turing`: `.envrc`")
    assert row.hint.startswith("rebuild the container where it was started")


def test_a_halt_that_somebody_undid_is_a_lost_pin_again(
    now: dict[str, tuple[Pin, ...]], halted: Observed
) -> None:
    now |= {"c1": (pin_of(".envrc", State.LOST),), "c2": ()}
    resumed = Observed({"/p": live()})
    row = combine("/p", Examined(), resumed)
    assert screen(row)[0].startswith("✗ PIN LOST: ")
    another = Observed({"/p": live("c2")._replace(paused=True)})
    assert combine("/p", Examined(), another).halted == ""


def test_a_record_that_cannot_be_read_is_said(
    now: dict[str, tuple[Pin, ...]], halted: Observed, tmp_path: Path
) -> None:
    now |= {"c1": (), "c2": ()}
    for path in (tmp_path / "sandboxd/halts").iterdir():
        path.write_text("{")
    row = combine("/p", Examined(), halted)
    assert "cannot be read, so it is not known whether the sandbox is halted" in screen(row)[0]
    assert row.hint.startswith("`sandboxd up --recreate`")


def test_that_nobody_watches_is_said_first_where_a_mount_can_be_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pins, "look", lambda _of: ())
    shut = Request("/w/.envrc", "/p/.envrc", True, "/w")

    def shown(live: Sandbox, why: str = "no daemon runs") -> ProjectStatus:
        return combine("/p", Examined(), Observed({"/p": live}), unwatched=why)

    running = live()._replace(pinned=Subject("c1", 7, ((".envrc", shut),), {}))
    row = shown(running)
    for form in ("text", "all", "long"):
        assert screen(row, form)[0] == "! NOT WATCHED: no daemon runs"
    assert screen(row, here="/other")[0] == "! /p: NOT WATCHED: no daemon runs"
    assert not screen(shown(running, ""))[0].startswith("! NOT WATCHED")
    # What shares no folder, and what does not run, can lose nothing.
    copy = running._replace(pinned=Subject("c1", 7, (), {}))
    for other in (copy, running._replace(paused=True), running._replace(running=False)):
        assert shown(other).unwatched == ""
