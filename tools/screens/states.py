"""The states of a project, each with the question that its screen answers.

Those that this machine cannot be brought into at will are made of a recorded one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sandboxd.model.labels import UP
from sandboxd.observe.control import Control
from sandboxd.observe.controls import without_lost
from sandboxd.observe.drift import of_lost
from sandboxd.observe.pin import Pin, Witness, anew
from sandboxd.observe.pin import State as PinState
from sandboxd.status.model import DaemonLine, ProjectStatus, StatusReport
from tools.screens.recorded import report


class State(NamedTuple):
    """`is_played`: made of a recording instead of recorded."""

    name: str
    title: str
    about: str
    make: Callable[[], StatusReport]
    is_played: bool = False


def _recorded(name: str) -> Callable[[], StatusReport]:
    return lambda: report(name)


def _played(
    name: str, change: Callable[[ProjectStatus], ProjectStatus]
) -> Callable[[], StatusReport]:
    def make() -> StatusReport:
        recorded = report(name)
        return recorded._replace(projects=tuple(change(row) for row in recorded.projects))

    return make


def _saved_just_now() -> StatusReport:
    """As a daemon that runs answers before it has looked at the files."""
    (row,) = report("generated").projects
    daemon = DaemonLine(True, "0.1.0", 4242, 1, "events")
    just_now = ProjectStatus(row.path, row.state, checking=True)
    return StatusReport(daemon, None, (just_now,), here=row.path)


def _not_in_force(row: ProjectStatus) -> ProjectStatus:
    assert row.in_force is not None
    lost = Control("no-new-privileges", "not in force", "NoNewPrivs of the first process is 0")
    controls = tuple(
        lost if control.name == lost.name else control for control in row.in_force.controls
    )
    return row._replace(
        in_force=row.in_force._replace(controls=controls),
        verified=None,
        hint="`sandboxd verify` tries to escape from it",
    )


def _escaped(row: ProjectStatus) -> ProjectStatus:
    assert row.verified is not None
    return row._replace(
        verified=row.verified._replace(state="escaped", escaped=("host-file", "pin-write")),
        hint="`sandboxd explain-plan` says what is not in force here, and how to mend it",
    )


def _lost_pin(row: ProjectStatus) -> ProjectStatus:
    assert row.verified is not None and row.in_force is not None
    name = row.path.rsplit("/", 1)[-1]
    target = f"/workspaces/{name}/.vscode"
    why = "its mount is gone, or was moved along with its folder"
    pin = Pin(".vscode", target, f"{row.path}/.vscode", PinState.LOST, Witness.GOFER, why)
    return row._replace(
        lost_pins=(pin,),
        in_force=row.in_force._replace(controls=without_lost(row.in_force.controls, (pin,))),
        drift=tuple(
            f"{item.control}: planned {item.planned}, found {item.live}" for item in of_lost((pin,))
        ),
        verified=row.verified._replace(state="void"),
        hint=anew(UP),
    )


STATES = (
    State("nothing-here", "Nothing here", "What do I begin with?", _recorded("nothing-here")),
    State(
        "needs-grant",
        "A config that takes controls away",
        "Why does it not start?",
        _recorded("needs-grant"),
    ),
    State(
        "invalid-config", "A config with a mistake", "What is wrong?", _recorded("invalid-config")
    ),
    State("generated", "Generated, not started", "What would I get?", _recorded("generated")),
    State(
        "starting",
        "Saved just now",
        "Is it ready?",
        _saved_just_now,
        is_played=True,
    ),
    State("running", "It runs", "Is it safe already?", _recorded("running")),
    State("held", "It runs, and held", "Is it safe?", _recorded("held")),
    State(
        "not-in-force",
        "A control is not in force",
        "What was lost?",
        _played("running", _not_in_force),
        is_played=True,
    ),
    State("drift", "The config moved on", "Is it what I asked for?", _recorded("drift")),
    State("escaped", "It did not hold", "What got out?", _played("held", _escaped), is_played=True),
    State(
        "lost-pin",
        "The host took a pin away",
        "What is open?",
        _played("held", _lost_pin),
        is_played=True,
    ),
    State("denied-names", "Names were denied", "What was refused?", _recorded("denied-names")),
    State("no-engine", "No engine", "What do I install?", _recorded("no-engine")),
    State(
        "engine-hangs",
        "The engine hangs",
        "What is known now?",
        _recorded("engine-hangs"),
    ),
    State(
        "no-gvisor",
        "No gVisor",
        "What would it cost me?",
        _recorded("no-gvisor"),
    ),
)
