"""The named sandboxes of a project as a person reads them, each with what its agent does. Pure."""

from __future__ import annotations

from sandboxd.project.here import AgentSession
from sandboxd.screen import duration
from sandboxd.status.model import ProjectStatus
from sandboxd.verify.last_verdict import age_seconds


def texts(project: ProjectStatus) -> list[str]:
    """A text for each named sandbox, those that run first: `two running (agent at work 3 min)`."""
    agents = {each.name: each for each in project.agents}
    ordered = sorted(project.beside, key=lambda each: (each[1] != "running", each[0]))
    return [f"{name} {state}{_of_agent(agents.get(name))}" for name, state in ordered]


def _of_agent(session: AgentSession | None) -> str:
    """The state of a session's agent in brackets; '' without a session, or if it was never started."""
    if session is None or session.since is None:
        return ""
    ago = "" if session.state == "at work" else " ago"
    return f" (agent {session.state} {duration(age_seconds(session.since))}{ago})"
