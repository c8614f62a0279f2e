"""A project's state as one word and one symbol, readable without colour: for prompts, lists and first lines."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.status.model import ProjectStatus

GREEN, YELLOW, RED, DIM = "32", "33", "31", "2"


class Glance(NamedTuple):
    """A project's state at a glance. `word` contains no blank, as a shell's prompt may split it."""

    symbol: str
    word: str
    colour: str

    def __str__(self) -> str:
        return f"{self.symbol} {self.word}"


_BY_STATE = {
    "missing": Glance("✗", "missing", RED),
    "invalid config": Glance("✗", "invalid-config", RED),
    "unknown": Glance("?", "unknown", YELLOW),
    "paused": Glance("!", "paused", YELLOW),
    "stopped": Glance("-", "stopped", DIM),
    "not created": Glance("-", "not-created", DIM),
}


def glance(project: ProjectStatus) -> Glance:
    """The most important part of a project's state: what is open, then what is broken, then what is weakened, then what
    is proven.
    """
    if project.halted or project.halted_beside:
        return Glance("✗", "halted", RED)
    if project.lost_pins or project.lost_beside:
        return Glance("✗", "pin-lost", RED)
    if project.checking:
        return Glance("~", "checking", DIM)
    if project.state in ("missing", "invalid config"):
        return _BY_STATE[project.state]
    if needs_grant(project):
        return Glance("!", "needs-grant", YELLOW)
    if project.state != "running":
        return _BY_STATE[project.state]
    return _of_running(project)


def needs_grant(project: ProjectStatus) -> bool:
    """Whether its config removes a control without the user's grant."""
    return project.trust in ("none", "outdated") and bool(project.problem)


def _of_running(project: ProjectStatus) -> Glance:
    verified = project.verified
    if verified is not None and verified.state == "escaped":
        return Glance("✗", "escaped", RED)
    if project.unseen:
        return Glance("?", "not-seen", YELLOW)
    controls = project.in_force.controls if project.in_force is not None else ()
    if any(control.state == "not in force" for control in controls):
        return Glance("!", "not-in-force", YELLOW)
    if project.drift:
        return Glance("!", "drift", YELLOW)
    if verified is not None and verified.state == "held":
        return Glance("✓", "held", GREEN)
    return Glance("·", "running", "1")
